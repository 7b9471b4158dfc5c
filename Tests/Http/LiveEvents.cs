using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>A fingerprint's events as they are recorded: each once and in order, for a reader that keeps up.</summary>
public sealed class LiveEvents(SharedApps apps) : IClassFixture<SharedApps>
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Each_event_comes_once_with_what_its_history_has(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Post(app, "before");
        await using var live = await LiveStream.Open(app, LiveStream.PathOf(visitor));
        Assert.Equal(("no-store", "no"),
            (live.Response.Headers.CacheControl!.ToString(),
                live.Response.Headers.GetValues("X-Accel-Buffering").Single()));
        var posts = await Task.WhenAll(Enumerable.Range(0, 20).Select(i => app.PostForm(
            $"action=a{i % 3}&product=p&fingerprint={visitor}&id={i / 2}&properties="
                + Uri.EscapeDataString("{\"a\":\r\n [1,\n\"x\\n\"]}"))));
        Assert.Equal(10, posts.Count(post => post is { Status: 200, Duplicate: false }));

        var told = new List<JsonElement>();
        while (told.Count < 10) told.Add(await live.NextData());
        Assert.Equal("11", live.LastEventId);
        var page = (await app.Get(Requests.Path(visitor) + "/events?after=1")).Body.GetProperty("events")
            .EnumerateArray().ToList();
        Assert.Equal(10, page.Count);
        Assert.All(page.Zip(told),
            pair => Assert.True(JsonElement.DeepEquals(pair.First, pair.Second),
                $"{pair.First} came as {pair.Second}"));
        await Post(app, "after"); // this must be the next message
        Assert.Equal([12L], await live.Sequences(1));
    }

    [Theory, EachStorage]
    public async Task A_reader_goes_on_behind_the_event_that_it_names(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        for (var i = 0; i < 3; i++) // more than two pages
            Assert.Equal(200,
                (await app.PostBatch("[" + string.Join(',', Enumerable.Repeat(Item(), 150)) + "]")).Status);
        foreach (var (header, query, first) in ((string?, string, int)[])
                 [(null, "?after=0", 1), ("0", "", 1), ("447", "", 448), (null, "?after=448", 449),
                     ("17", "?after=448", 18), ("450", "?after=0", 451)])
        {
            await using var live = await LiveStream.Open(app, LiveStream.PathOf(visitor) + query, header);
            if (first == 451) await Post(app, "next");
            Assert.Equal(Enumerable.Range(first, 451 - Math.Min(first, 450)).Select(i => (long)i),
                await live.Sequences(451 - Math.Min(first, 450)));
        }
    }

    [Theory, EachStorage]
    public async Task One_that_nobody_has_seen_yet_may_be_watched(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var first = await LiveStream.Open(app, LiveStream.PathOf(visitor));
        await using var second = await LiveStream.Open(app, LiveStream.PathOf(visitor), lastEventId: "0");
        (await app.View(visitor)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        await Post(app, "first");
        Assert.Equal([1L], await first.Sequences(1));
        Assert.Equal([1L], await second.Sequences(1));
    }

    [Theory, EachStorage]
    public async Task One_who_comes_and_goes_under_load_misses_nothing(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var stop = new CancellationTokenSource();
        var writing = Task.WhenAll(Enumerable.Range(0, 6).Select(_ => Task.Run(async () =>
        {
            while (!stop.IsCancellationRequested) await Post(app, "busy");
        })));
        var readers = await Task.WhenAll(Enumerable.Range(1, 5).Select(reader => Task.Run(async () =>
        {
            var told = new List<long>();
            for (var turn = 0; turn < 6; turn++)
            {
                await using var live = await LiveStream.Open(app, LiveStream.PathOf(visitor), $"{told.Count}");
                told.AddRange(await live.Sequences(reader * 7));
            }
            return told;
        })));
        await stop.CancelAsync();
        await writing;
        Assert.All(readers, told => Assert.Equal(Enumerable.Range(1, told.Count).Select(i => (long)i), told));
    }

    [Theory, EachStorage]
    public async Task It_takes_no_odd_position(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Post(app, "only");
        foreach (var odd in (string[])["-1", "1.5", "x", "", "1 2", "+1", "0x1", "9223372036854775808", "1, 2",
            new string('1', 5_000)])
        {
            (await app.Get($"{LiveStream.PathOf(visitor)}?after={Uri.EscapeDataString(odd)}")).AssertRefused(422,
                "out_of_range", "after");
            var request = new HttpRequestMessage(HttpMethod.Get, LiveStream.PathOf(visitor) + "?after=1");
            request.Headers.TryAddWithoutValidation("Last-Event-ID", odd);
            if (odd.Length > 0) (await app.Send(request)).AssertRefused(422, "out_of_range", "Last-Event-ID");
        }
        (await app.Get($"{LiveStream.PathOf(visitor)}?after=1&after=2")).AssertRefused(422, "duplicate_field", "after");
        (await app.Get("/api/fingerprints/%ff/live")).AssertRefused(400, "malformed_path", "fingerprint");
        (await app.Get($"/api/fingerprints/{new string('x', 257)}/live")).AssertRefused(422, "too_long", "fingerprint");
        (await app.Send(new(HttpMethod.Post, LiveStream.PathOf(visitor)))).AssertRefused(405, "method_not_allowed");
    }

    // As after an erasure while the reader was away.
    [Theory, EachStorage]
    public async Task A_reader_that_knows_more_than_there_is_is_told_and_begins_anew(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Post(app, "only");
        foreach (var beyond in (string[])["2", "9223372036854775807"])
        {
            await using var live = await LiveStream.Open(app, LiveStream.PathOf(visitor), beyond);
            await live.AssertNext("reset", "erased");
            Assert.Equal("0", live.LastEventId);
            Assert.Equal([1L], await live.Sequences(1));
        }
    }

    [Theory, EachStorage]
    public async Task A_slow_reader_is_cut_off_and_told_while_others_go_on(StorageKind storage)
    {
        const int events = 3_000;
        var (app, _) = await apps.On(storage);
        var cutBefore = await CutOff(app);
        await using var quick = await LiveStream.Open(app, LiveStream.PathOf(visitor));
        using var slow = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await slow.ConnectAsync(IPAddress.Loopback, app.Port);
        await slow.SendAsync(Encoding.ASCII.GetBytes(HttpWire.GetOf(LiveStream.PathOf(visitor))));
        Assert.True(await slow.ReceiveAsync(new byte[64]) > 0); // it has begun

        var large =
            $$$"""{"action":"a","product":"p","fingerprint":"{{{visitor}}}","properties":{"a":"{{{new string('x', 3_900)}}}"}}""";
        for (var i = 0; i < events; i += 250) // the quick one reads these, the slow one does not
        {
            Assert.Equal(200,
                (await app.PostBatch(string.Join('\n', Enumerable.Repeat(large, 250)),
                    contentType: "application/x-ndjson")).Status);
            Assert.Equal(Enumerable.Range(i + 1, 250).Select(sequence => (long)sequence), await quick.Sequences(250));
        }
        await Eventually.True(async () => await CutOff(app) == cutBefore + 1, "Nobody is cut off.");

        var rest = new StringBuilder();
        var buffer = new byte[64 * 1024];
        while (!rest.ToString(Math.Max(0, rest.Length - 7), Math.Min(7, rest.Length)).EndsWith("0\r\n\r\n",
            StringComparison.Ordinal)
            && await slow.ReceiveAsync(buffer) is > 0 and var read)
            rest.Append(Encoding.Latin1.GetString(buffer, 0, read));
        Assert.Contains("event: end\nretry: 1000\ndata: {\"reason\":\"too_slow\"}\n\n", rest.ToString()[^200..]);
    }

    private static async Task<double> CutOff(AppProcess app) =>
        (await PrometheusText.Scrape(app)).Sum("tally_live_readers_cut_off_total");

    private string Item() => $$"""{"action":"a","product":"p","fingerprint":"{{visitor}}"}""";

    private async Task Post(AppProcess app, string action) =>
        Assert.Equal(200, (await app.PostForm($"action={action}&product=p&fingerprint={visitor}")).Status);
}
