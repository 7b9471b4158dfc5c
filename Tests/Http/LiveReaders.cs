using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Who may read live, how many at once, and until when. Each test has its own program.</summary>
public sealed class LiveReaders(PostgresServer server)
{
    private const string Reader = "reader-0123456789abcdef";

    [Fact]
    public Task Readers_need_a_read_key_where_there_is_one() =>
        With(new() { ["APP_READ_KEYS"] = Reader, ["APP_WRITE_KEYS"] = "writer-0123456789abcdef" }, async app =>
    {
        foreach (var path in (string[])["/api/live", "/api/fingerprints/f/live", "/api/live/events"])
        {
            (await app.Get(path)).AssertRefused(401, "missing_key");
            (await app.Get(path + "?writeKey=writer-0123456789abcdef")).AssertRefused(403, "key_not_for_reading");
            await using var live = await LiveStream.Open(app, path, key: Reader);
        }
    });

    [Fact]
    public Task Those_beyond_the_limit_are_sent_away_and_writers_are_not_among_them() => With(
        new() { ["Limits__LiveReadersMax"] = "2", ["Limits__RequestsMax"] = "1" }, async app =>
    {
        await using var first = await LiveStream.Open(app, "/api/live");
        await using (await LiveStream.Open(app, "/api/fingerprints/f/live"))
        {
            foreach (var path in (string[])["/api/live", "/api/fingerprints/f/live", "/api/live/events"])
            {
                var refused = await app.Get(path);
                refused.AssertRefused(503, "too_many_readers");
                Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
            }
            Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
            Assert.Equal(2, (await PrometheusText.Scrape(app)).Sum("tally_live_readers"));
        }
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_live_readers") == 1,
            "The one that left still counts.");
        await using var next = await LiveStream.Open(app, "/api/fingerprints/f/live", "0");
        Assert.Equal([1L], await next.Sequences(1));
    });

    [Fact]
    public Task A_stop_ends_all_streams_and_waits_for_none() =>
        With(new() { ["Limits__DrainMilliseconds"] = "4000" }, async app =>
    {
        await using var ofAll = await LiveStream.Open(app, "/api/live");
        await using var ofOne = await LiveStream.Open(app, "/api/fingerprints/f/live");
        await using var ofEvents = await LiveStream.Open(app, "/api/live/events");
        using var stuck = (await HttpWire.Connect(app.Port))!;
        await stuck.Send(HttpWire.GetOf("/api/fingerprints/f/live")); // and never reads
        Assert.Equal(0, (await ofAll.NextData()).GetProperty("total").GetInt64());

        var stopped = app.Terminate();
        foreach (var live in (LiveStream[])[ofAll, ofOne, ofEvents])
        {
            await live.AssertNext("end", "draining");
            Assert.Equal(TimeSpan.FromSeconds(1), live.ReconnectionInterval);
            Assert.Null(await live.Next());
        }
        // A reader that reconnects too soon is not refused, because a browser would give up.
        await using (var again =
            await LiveStream.Open(app, "/api/fingerprints/f/live", "0")) await again.AssertNext("end", "draining");
        Assert.Equal(0, await stopped);
    });

    [Theory, EachStorage]
    public Task Readers_of_a_history_that_is_erased_are_told_and_go_on_with_the_new_one(StorageKind storage) => With(
        storage, [], async (app, database) =>
    {
        await using var untilNow = await LiveStream.Open(app, "/api/fingerprints/f/live");
        for (var turn = 0; turn < 3; turn++) // each history is longer or shorter than the one before
        {
            var events = 3 + turn % 2 * 4;
            for (var i = 1; i <= events; i++)
                Assert.Equal(i, (await app.PostForm("action=a&product=p&fingerprint=f")).Sequence);
            Assert.Equal(Enumerable.Range(1, events).Select(i => (long)i), await untilNow.Sequences(events));
            await using var fromBegin = await LiveStream.Open(app, "/api/fingerprints/f/live", "1");
            Assert.Equal(Enumerable.Range(2, events - 1).Select(i => (long)i), await fromBegin.Sequences(events - 1));

            Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/f"))).Status);
            foreach (var live in (LiveStream[])[untilNow, fromBegin])
            {
                await live.AssertNext("reset", "erased");
                Assert.Equal("0", live.LastEventId);
            }
        }
        Assert.Equal(0, await app.Terminate());
        await AppProcess.AssertVerifies(database);
    });

    [Theory, EachStorage]
    public Task Pages_that_large_events_end_early_miss_none(StorageKind storage) => With(
        storage, new() { ["Limits__LivePageBytesMax"] = "1" }, async (app, _) =>
    {
        const int events = 60;
        await using var untilNow = await LiveStream.Open(app, "/api/fingerprints/f/live");
        for (var i = 0; i < 2; i++)
        {
            var item = """{"action":"a","product":"p","fingerprint":"f","properties":{"a":1}}""";
            Assert.Equal(200,
                (await app.PostBatch("[" + string.Join(',', Enumerable.Repeat(item, events)) + "]")).Status);
            Assert.Equal(Enumerable.Range(i * events + 1, events).Select(sequence => (long)sequence),
                await untilNow.Sequences(events));
            await using var fromBegin = await LiveStream.Open(app, "/api/fingerprints/f/live", "0");
            Assert.Equal(Enumerable.Range(1, (i + 1) * events).Select(sequence => (long)sequence),
                await fromBegin.Sequences((i + 1) * events));
        }
    });

    private Task With(Dictionary<string, string> environment, Func<AppProcess, Task> test) =>
        With(StorageKind.Sqlite, environment, (app, _) => test(app));

    private async Task With(StorageKind storage, Dictionary<string, string> environment,
        Func<AppProcess, TestDatabase, Task> test)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, environment);
        await test(app, database);
        app.AssertLoggedNo("fail:");
    }
}
