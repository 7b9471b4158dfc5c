using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A thousand readers take large answers at a kilobyte a second. What is kept for them is bounded, and everyone else is
/// served.
/// </summary>
[Collection<ManySockets>]
public sealed class SlowReaders(PostgresServer server)
{
    private const int Readers = 1_000, OpenAtOnce = 64;
    private const int Events = 1_000, PropertiesBytes = 32 * 1024;
    private const long HeldMax = 32 * 1024 * 1024;

    [Theory, EachStorage]
    public async Task What_is_kept_for_them_is_bounded_and_others_are_served(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared()) { }
        await database.Execute(Fill(storage));
        await using var app = await AppProcess.Start(database, new()
        {
            ["Limits__AnswerBytesMax"] = $"{HeldMax}", ["Limits__AnswerBytesPerSecondMin"] = $"{16 * 1024}",
            ["DOTNET_GCHeapHardLimit"] = "0x28000000", // 640 MiB, beyond which the runtime fails; they ask for 32 GB
        });
        Assert.Equal(Enumerable.Range(1, Events).Select(i => (long)i), await ReadAll(app));

        var readers = new SlowReader[Readers];
        try
        {
            await Parallel.ForAsync(0, Readers, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce },
                async (i, cancellation) =>
            {
                readers[i] = await SlowReader.Ask(app, "/api/fingerprints/large/events?limit=1000");
                _ = readers[i].Trickle();
                if (i % 50 != 0) return;
                var (post, ready) = (await app.PostForm($"action=view&product=k8s&fingerprint=f-{i}"),
                    await app.Get("/health/ready"));
                Assert.True((post.Status, ready.Status) == (200, 200), $"{post.Body} {ready.Body} {app.Output}");
                Assert.InRange((await PrometheusText.Scrape(app)).Sum("tally_answers_held_bytes"), 0, HeldMax);
            });
            Assert.All(readers, reader => Assert.True(reader.Status is 200 or 503, reader.Begin));
            Assert.All(readers.Where(reader => reader.Status == 503),
                reader => Assert.Contains("\"overloaded\"", reader.Begin));
            Assert.Contains(readers, reader => reader.Status == 200);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{readers.Count(reader => reader.Status == 200)} answered, {app.PeakMemoryBytes >> 20} MiB at most");

            // They read more slowly than they must, so their places become free while they are still there.
            await Eventually.True(async () =>
                (await app.Get("/api/fingerprints/large/events?limit=1000")).Status == 200, "Nobody else is served.",
                seconds: 120);
            Assert.Equal(200, (await app.Get("/health/ready")).Status);
        }
        finally
        {
            foreach (var reader in readers) reader?.Dispose();
        }
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_answers_held_bytes") == 0,
            "Something is still held.");
        Assert.Equal(Enumerable.Range(1, Events).Select(i => (long)i), await ReadAll(app));
        app.AssertLoggedNo("fail:");
    }

    // Reads all pages, each of which ends early.
    private static async Task<List<long>> ReadAll(AppProcess app)
    {
        var (sequences, pages) = (new List<long>(), 0);
        for (long? after = 0; after is not null; pages++)
        {
            var page = (await app.Get($"/api/fingerprints/large/events?limit=1000&after={after}")).Body;
            var events = page.GetProperty("events").EnumerateArray().ToList();
            Assert.InRange(events.Sum(e => (long)e.GetProperty("properties").GetRawText().Length), 0,
                (1 << 20) + PropertiesBytes);
            sequences.AddRange(events.Select(e => e.GetProperty("sequence").GetInt64()));
            after = page.TryGetProperty("next", out var next) ? next.GetInt64() : null;
        }
        Assert.InRange(pages, Events * PropertiesBytes / (1 << 20) - 1, Events);
        return sequences;
    }

    private static string Fill(StorageKind storage) => storage == StorageKind.Postgres
        ? $$"""
          insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
          select 'large', i, gen_random_uuid(), 'view', 'k8s', now(), now(),
              json_build_object('text', repeat(md5(i::text), {{PropertiesBytes}} / 32 - 1))
          from generate_series(1, {{Events}}) i
          """
        : $$"""
          with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < {{Events}})
          insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
          select 'large', i, lower(printf('00000000-0000-4000-8000-%012x', i)),
              'view', 'k8s', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z', printf('{"text":"%s"}', hex(randomblob({{PropertiesBytes}} / 2 - 16)))
          from numbers
          """;
}
