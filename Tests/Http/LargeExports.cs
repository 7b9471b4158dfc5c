using System.Globalization;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>A log of fifty megabytes, far more than any buffer between it and a reader holds.</summary>
public sealed class LargeLog(PostgresServer server) : IAsyncLifetime
{
    public const int Fingerprints = 500, EventsEach = 100, PropertiesBytes = 1_000, Events =
        Fingerprints * EventsEach;

    private readonly Dictionary<StorageKind, TestDatabase> filled = [];

    public async Task<TestDatabase> On(StorageKind storage)
    {
        if (filled.TryGetValue(storage, out var database)) return database;
        database = filled[storage] = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared()) { }
        for (var from = 0; from < Events; from += 50_000)
            await database.Execute(Fill(storage, from, from + 50_000 - 1));
        return database;
    }

    private static string Fill(StorageKind storage, int from, int to) => storage == StorageKind.Postgres
        ? $$"""
          insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
          select 'f-' || lpad((i % {{Fingerprints}})::text, 4, '0'), i / {{Fingerprints}} + 1, gen_random_uuid(),
              'view', 'k8s', now(), now(),
              json_build_object('i', i, 'text', repeat(md5(i::text), {{PropertiesBytes}} / 32))
          from generate_series({{from}}, {{to}}) i
          """
        : $$"""
          with recursive numbers (i) as (select {{from}} union all select i + 1 from numbers where i < {{to}})
          insert into events (fingerprint, sequence, id, action, product, created, occurred, properties)
          select printf('f-%04d', i / {{EventsEach}}), i % {{EventsEach}} + 1,
              lower(printf('%s-%s-4%s-8%s-%s', hex(randomblob(4)), hex(randomblob(2)), substr(hex(randomblob(2)), 2),
                  substr(hex(randomblob(2)), 2), hex(randomblob(6)))),
              'view', 'k8s', '2026-01-01T00:00:00.000000Z', '2026-01-01T00:00:00.000000Z',
              printf('{"i":%d,"text":"%s"}', i, hex(randomblob({{PropertiesBytes}} / 2)))
          from numbers
          """;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var database in filled.Values) await database.DisposeAsync();
    }
}

/// <summary>Exports that take a while: what they cost, and what ends them.</summary>
public sealed class LargeExports(LargeLog log) : IClassFixture<LargeLog>
{
    private static readonly Dictionary<string, string> OneAtOnce = new() { ["Limits__ExportsMax"] = "1" };

    [Theory, EachStorage]
    public async Task However_many_rows_it_takes_the_same_memory(StorageKind storage)
    {
        // The collector lets little garbage gather, so the peak shows what an export holds.
        await using var app = await AppProcess.Start(await log.On(storage), new()
        {
            ["DOTNET_GCgen0size"] = "0x1000000", ["Limits__ExportRowGroupCharactersMax"] = $"{1 << 20}",
        });
        foreach (var format in (string[])["ndjson", "csv", "parquet"])
        {
            await Read(app, $"format={format}&to=2000-01-01"); // the first one compiles code
            var before = app.PeakMemoryBytes;
            var bytes = await Read(app, $"format={format}");
            if (format != "parquet")
                Assert.InRange(bytes, (long)LargeLog.Events * LargeLog.PropertiesBytes * 9 / 10, long.MaxValue);
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"{format}: {before >> 20} MiB before, {(app.PeakMemoryBytes - before) >> 20} more");
            // the log has 50 MB, which are 100 in memory
            Assert.True(app.PeakMemoryBytes - before < 50_000_000, $"{format}: {before} to {app.PeakMemoryBytes}");
        }
    }

    [Theory, EachStorage]
    public async Task It_is_one_moment_s_while_writers_write(StorageKind storage)
    {
        var database = await log.On(storage);
        await using var app = await AppProcess.Start(database);
        // One sorts before and one after all others. A read of several moments would find the last ahead of the first.
        var (first, last) = ($"a-{Guid.NewGuid()}", $"z-{Guid.NewGuid()}");
        using var stop = new CancellationTokenSource();
        var written = 0;
        var writing = Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; written++)
                foreach (var fingerprint in (string[])[first, last])
                    Assert.Equal(200,
                        (await app.PostForm($"action=view&product=k8s&fingerprint={fingerprint}")).Status);
        });
        await Eventually.True(() => Task.FromResult(written > 10), "Nothing is written.");
        var heads = new Dictionary<string, long>();
        var writtenBefore = written;
        using (var response = await app.Http.GetAsync("/api/export", HttpCompletionOption.ResponseHeadersRead))
        using (var lines = new StreamReader(await response.Content.ReadAsStreamAsync()))
            while (await lines.ReadLineAsync() is { } line)
            {
                if (heads.Count == 1)
                    await Eventually.True(() => Task.FromResult(written >= writtenBefore + 10),
                        "Nothing is written beside it.");
                var (fingerprint, sequence) = KeyOf(line);
                Assert.Equal(heads.GetValueOrDefault(fingerprint) + 1, sequence);
                heads[fingerprint] = sequence;
            }
        await stop.CancelAsync();
        await writing;
        Assert.InRange(heads[first], writtenBefore, long.MaxValue);
        Assert.InRange(heads[first] - heads[last], 0, 1);
        Assert.Equal(LargeLog.Fingerprints,
            heads.Count(head => head is { Key: ['f', ..], Value: LargeLog.EventsEach }));
        // as the other tests expect
        await database.Execute($"delete from events where fingerprint in ('{first}', '{last}')");
    }

    [Theory, EachStorage]
    public async Task Beyond_the_limit_it_is_refused_until_one_has_ended_however(StorageKind storage)
    {
        await using var app = await AppProcess.Start(await log.On(storage), OneAtOnce);
        for (var i = 0; i < 2; i++)
        {
            using (var response = await app.Http.GetAsync("/api/export", HttpCompletionOption.ResponseHeadersRead))
            {
                Assert.True(response.IsSuccessStatusCode);
                var refused = await app.Get("/api/export");
                refused.AssertRefused(503, "too_many_exports");
                Assert.NotNull(refused.Headers.RetryAfter);
                Assert.Equal(422, (await app.Get("/api/export?format=x")).Status); // needs no place
            } // leaves in the middle of an export
            await Eventually.True(async () => await Status(app, "to=2000-01-01&product=none") == 200,
                "No place becomes free.");
        }
    }

    [Fact]
    public async Task A_client_that_stops_reading_is_ended()
    {
        await using var app = await AppProcess.Start(
            await log.On(StorageKind.Sqlite), new(OneAtOnce) { ["Limits__ExportBytesPerSecondMin"] = $"{1 << 20}" });
        using var response = await app.Http.GetAsync("/api/export", HttpCompletionOption.ResponseHeadersRead);
        Assert.Equal(503, (await app.Get("/api/export")).Status);
        await Eventually.True(async () => await Status(app, "to=2000-01-01&product=none") == 200,
            "It has its place still.");
        await Assert.ThrowsAnyAsync<Exception>(() => response.Content.ReadAsByteArrayAsync());
    }

    [Fact]
    public async Task One_whose_connection_to_the_database_breaks_does_not_end_as_if_it_were_whole()
    {
        var database = await log.On(StorageKind.Postgres);
        await using var app = await AppProcess.Start(database, OneAtOnce);
        foreach (var encoding in (string[])["identity", "gzip"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/export");
            request.Headers.TryAddWithoutValidation("Accept-Encoding", encoding);
            using var response = await app.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
            await database.Execute("select pg_terminate_backend(pid) from pg_stat_activity "
                + "where datname = current_database() and backend_type = 'client backend' and xact_start is not null and pid <> pg_backend_pid()");
            await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync());
        }
        await Eventually.True(async () => await Status(app, "product=none") == 200, "No place becomes free.");
        Assert.Contains("An export broke off", app.Output);
    }

    [Theory, EachStorage]
    public async Task What_was_read_whole_and_the_rest_after_its_cursor_are_everything_once(StorageKind storage)
    {
        var database = await log.On(storage);
        var app = await AppProcess.Start(database, new() { ["Limits__ExportBytesPerSecondMin"] = "1" });
        var text = new StringBuilder();
        using (var response = await app.Http.GetAsync("/api/export", HttpCompletionOption.ResponseHeadersRead))
        using (var body = new StreamReader(await response.Content.ReadAsStreamAsync()))
        {
            var some = new char[100_000];
            text.Append(some, 0, await body.ReadBlockAsync(some));
            Assert.Equal(0, await app.Terminate()); // cuts off the export, which would not end by itself
            await Assert.ThrowsAnyAsync<IOException>(() => body.ReadToEndAsync());
        }
        Assert.Contains("An export was cut off", app.Output);
        await app.DisposeAsync();
        var rows = ExportedRow.OfNdjson(text.ToString());
        Assert.InRange(rows.Count, 10, LargeLog.Events / 2);
        await using (app = await AppProcess.Start(database))
        using (var response =
            await app.Http.GetAsync($"/api/export?after={Uri.EscapeDataString(rows[^1].Cursor)}",
                HttpCompletionOption.ResponseHeadersRead))
        using (var lines = new StreamReader(await response.Content.ReadAsStreamAsync()))
        {
            var next = rows.Count;
            for (; await lines.ReadLineAsync() is { } line; next++) Assert.Equal(KeyOf(next), KeyOf(line));
            Assert.Equal(LargeLog.Events, next);
            Assert.All(rows.Index(), row => Assert.Equal(KeyOf(row.Index), (row.Item.Fingerprint, row.Item.Sequence)));
        }
    }

    [Theory, EachStorage]
    public async Task App_export_goes_on_where_a_service_died_and_came_back(StorageKind storage)
    {
        var database = await log.On(storage);
        var folder = Directory.CreateTempSubdirectory("tally-export-").FullName;
        try
        {
            foreach (var name in (string[])["events.ndjson", "events.csv", "events.parquet"])
            {
                var file = Path.Combine(folder, name);
                var app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn());
                await using var proxy = new HoldingProxy(app.Port, bytes: 200_000);
                var exporting = AppProcess.Run(["export", file, "-from", $"{proxy.Url}"]);
                await Eventually.True(() =>
                    Task.FromResult(new FileInfo(file + ".partial") is { Exists: true, Length: > 100_000 }),
                    "Nothing is exported.");
                await app.Kill();
                await app.DisposeAsync();
                await proxy.Cut();
                Assert.False(exporting.IsCompleted, "It was done already.");
                Assert.False(File.Exists(file));
                await using (app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), port: app.Port))
                {
                    var (exitCode, output, error) = await exporting;
                    Assert.True(exitCode == 0, output + error);
                    Assert.Equal("", error);
                    await app.Terminate();
                }
                Assert.Equal([file], Directory.GetFiles(folder));
                if (name.EndsWith(".parquet", StringComparison.Ordinal))
                {
                    Assert.Equal(LargeLog.EventsEach,
                        ExportedRow.AskParquet(await File.ReadAllBytesAsync(file),
                            $"fingerprint = '{KeyOf(LargeLog.Events - 1).Fingerprint}'").Count);
                }
                else
                {
                    var header = name.EndsWith(".csv", StringComparison.Ordinal) ? 1 : 0;
                    var next = -header;
                    foreach (var line in File.ReadLines(file))
                    {
                        if (next >= 0) Assert.Equal(KeyOf(next), KeyOf(line));
                        next++;
                    }
                    Assert.Equal(LargeLog.Events, next);
                }
                File.Delete(file);
            }
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (string Fingerprint, long Sequence) KeyOf(int row) =>
        ($"f-{row / LargeLog.EventsEach:0000}", row % LargeLog.EventsEach + 1);

    // {"fingerprint":"f-0000","sequence":1,... or f-0000,1,...
    private static (string Fingerprint, long Sequence) KeyOf(string line)
    {
        var parts = line.Split(',', 3);
        return line[0] == '{'
            ? (parts[0]["{\"fingerprint\":\"".Length..^1],
                long.Parse(parts[1].AsSpan("\"sequence\":".Length), CultureInfo.InvariantCulture))
            : (parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture));
    }

    private static async Task<int> Status(AppProcess app, string query)
    {
        using var response = await app.Http.GetAsync($"/api/export?{query}");
        return (int)response.StatusCode;
    }

    private static async Task<long> Read(AppProcess app, string query)
    {
        using var response = await app.Http.GetAsync($"/api/export?{query}", HttpCompletionOption.ResponseHeadersRead);
        Assert.True(response.IsSuccessStatusCode);
        await using var body = await response.Content.ReadAsStreamAsync();
        var buffer = new byte[1 << 16];
        var bytes = 0L;
        for (int read; (read = await body.ReadAsync(buffer)) > 0; bytes += read) { }
        return bytes;
    }
}
