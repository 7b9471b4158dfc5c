using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Many pairs of product and action, and many readers of their counts at once. The totals are made and kept once.
/// </summary>
public sealed class ManyCountReaders(PostgresServer server)
{
    private const int Pairs = 20_000, Products = 100;
    private const int Readers = 500, OpenAtOnce = 64;
    private const int TotalsBytes = Pairs * 100; // less than they really take

    [Theory, EachStorage]
    public async Task The_totals_are_made_once_for_all_of_them_and_each_is_told_everything(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared()) { }
        await database.Execute(Fill(storage));
        // 512 MiB, beyond which the runtime fails. Totals for each reader would take 2 GB.
        await using var app = await AppProcess.Start(database, new() { ["DOTNET_GCHeapHardLimit"] = "0x20000000" });
        await using var early = await CountReading.Open(app, "/api/live");
        Assert.Equal((Pairs, Pairs * 3L), (early.Totals.Count, early.Totals.Values.Sum()));

        var stuck = new SlowReader[Readers];
        try
        {
            await Parallel.ForAsync(0, Readers, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce },
                async (i, _) =>
            {
                stuck[i] = await SlowReader.Ask(app, "/api/live");
                Assert.Equal(200, stuck[i].Status);
                if (i % 10 == 0)
                    Assert.Equal(200, (await app.PostForm($"action=a&product=during&fingerprint=f-{i}")).Status);
            });
            // A reader that comes now gets the totals that the others have not read yet, and what was added since.
            await using var late = await CountReading.Open(app, "/api/live");
            await using var one = await CountReading.Open(app, "/api/live?product=during");
            await Parallel.ForAsync(0, 20,
                async (i, _) =>
                    Assert.Equal(200, (await app.PostForm($"action=b&product=during&fingerprint=f-{i}")).Status));
            const int posted = Readers / 10 + 20;
            await early.ReadUntil(Pairs * 3 + posted);
            await late.ReadUntil(Pairs * 3 + posted);
            await one.ReadUntil(posted);
            Assert.Equal(early.Totals.OrderBy(pair => pair.Key), late.Totals.OrderBy(pair => pair.Key));
            Assert.Equal([(("during", "a"), Readers / 10L), (("during", "b"), 20L)],
                one.Totals.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value)));

            var held = (await PrometheusText.Scrape(app)).Sum("tally_live_held_bytes");
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{held} bytes held, {app.PeakMemoryBytes >> 20} MiB at most");
            Assert.InRange(held, TotalsBytes, TotalsBytes * 5); // the totals of one or two moments, not of each reader
        }
        finally
        {
            foreach (var reader in stuck) reader?.Dispose();
        }
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_live_held_bytes") < TotalsBytes,
            "The totals are still held.");
        app.AssertLoggedNo("fail:");
    }

    [Fact]
    public async Task Beyond_what_all_may_hold_those_who_lag_are_cut_off_and_others_go_on()
    {
        const int lagging = 4;
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database,
                new() { ["Limits__LiveBytesMax"] = "300000", ["Limits__LiveQueueBytesMax"] = $"{1 << 28}" });
        await using var quick = await LiveStream.Open(app, LiveStream.PathOf("quick"));
        var stuck =
            await Task.WhenAll(
                Enumerable.Range(0, lagging).Select(i => SlowReader.Ask(app, LiveStream.PathOf($"f-{i}"))));
        try
        {
            var turn = 0L;
            await Eventually.True(async () =>
            {
                for (var i = 0; i < lagging; i++)
                    Assert.Equal(200,
                        (await app.PostBatch(string.Join('\n', Enumerable.Repeat(Large(i), 50)),
                            contentType: "application/x-ndjson")).Status);
                Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=quick")).Status);
                Assert.Equal([++turn], await quick.Sequences(1));
                return (await PrometheusText.Scrape(app)).Sum("tally_live_readers_cut_off_total") == lagging;
            }, "Those who lag are not cut off.", seconds: 120);
            Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=quick")).Status);
            Assert.Equal([++turn], await quick.Sequences(1));
        }
        finally
        {
            foreach (var reader in stuck) reader.Dispose();
        }
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_live_held_bytes") < 1_000,
            "Something is still held.");
    }

    private static string Large(int i) =>
        $$$"""{"action":"a","product":"p","fingerprint":"f-{{{i}}}","properties":{"a":"{{{new string('x', 3_900)}}}"}}""";

    private static string Fill(StorageKind storage) => storage == StorageKind.Postgres
        ? $"""
          insert into counters (product, action, events)
          select 'p-' || repeat('x', 40) || i % {Products}, 'a-' || repeat('y', 100) || i, 3
          from generate_series(1, {Pairs}) i
          """
        : $"""
          with recursive numbers (i) as (select 1 union all select i + 1 from numbers where i < {Pairs})
          insert into counters (product, action, events)
          select 'p-' || printf('%.*c', 40, 'x') || i % {Products}, 'a-' || printf('%.*c', 100, 'y') || i, 3
          from numbers
          """;
}
