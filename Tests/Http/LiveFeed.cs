using System.Net;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// All events as they are recorded: each once, and each fingerprint's in order, for a reader that keeps up.
/// </summary>
public sealed class LiveFeed(PostgresServer server, SharedApps apps) : IClassFixture<SharedApps>
{
    private readonly string product = "product-" + Guid.NewGuid();

    private string Path => $"{FeedClient.Path}?product={product}";

    [Theory, EachStorage]
    public async Task Each_event_comes_once_with_what_its_history_has(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var live = await LiveStream.Open(app, Path);
        Assert.Equal(("no-store", "no"), (live.Response.Headers.CacheControl!.ToString(),
            live.Response.Headers.GetValues("X-Accel-Buffering").Single()));
        await Task.WhenAll(Enumerable.Range(0, 40).Select(i => app.PostForm(
            $"action=a{i % 3}&product={product}&fingerprint={product}-f{i % 4}&id={i / 2}&properties="
                + Uri.EscapeDataString("{\"a\":\r\n [1,\n\"<b>\\n\"]}"))));
        await Post(app, "f9", "last");

        var told = new List<JsonElement>();
        while (told.Count == 0 || told[^1].GetProperty("action").GetString() != "last")
            told.Add(await live.NextData());
        var byFingerprint = told.ToLookup(e => e.GetProperty("fingerprint").GetString()!);
        Assert.Equal(5, byFingerprint.Count);
        foreach (var ofOne in byFingerprint)
        {
            var page = (await app.Get(Requests.Path(ofOne.Key) + "/events")).Body.GetProperty("events");
            Assert.Equal(page.EnumerateArray().Select(e => JsonSerializer.Serialize(e)),
                ofOne.Select(e => JsonSerializer.Serialize(e.EnumerateObject()
                    .Where(member => member.Name != "fingerprint")
                    .ToDictionary(member => member.Name, member => member.Value))));
        }
    }

    [Theory, EachStorage]
    public async Task An_event_comes_with_the_rules_that_it_made_fire(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        const string buy = """{"when":{"event":{"product":"shop","action":"buy"},"count":""";
        Assert.Equal(201, (await app.PutRule("first", buy + "\"first\"}}")).Status);
        Assert.Equal(201, (await app.PutRule("second", buy + """{"every":2}},"how":"each"}""")).Status);
        await Eventually.True(async () =>
        {
            var other = Guid.NewGuid().ToString();
            for (var i = 0; i < 2; i++)
                Assert.Equal(200, (await app.PostForm($"action=buy&product=shop&fingerprint={other}")).Status);
            return (await Firings(app, other)).Count == 2;
        }, "The rules do not fire.");

        await using var live = await LiveStream.Open(app, FeedClient.Path + "?product=shop");
        foreach (var action in (string[])["buy", "view", "buy"])
            Assert.Equal(200, (await app.PostForm($"action={action}&product=shop&fingerprint=ada")).Status);
        var told = new List<JsonElement>();
        while (told.Count < 3)
            if (await live.NextData() is var next && next.GetProperty("fingerprint").GetString() == "ada") told.Add(next);
        var fired = told.ConvertAll(one => one.TryGetProperty("firings", out var firings)
            ? firings.EnumerateArray().Select(Named).ToList() : []);
        Assert.Equal(["first"], fired[0].Select(one => one.Rule));
        Assert.Empty(fired[1]);
        Assert.Equal(["second"], fired[2].Select(one => one.Rule));
        Assert.Equal((await Firings(app, "ada")).Select(Named).Order(), fired.SelectMany(one => one).Order());

        static (string Rule, string Id) Named(JsonElement firing) =>
            (firing.GetProperty("rule").GetString()!, firing.GetProperty("id").GetString()!);

        static async Task<List<JsonElement>> Firings(AppProcess of, string fingerprint) =>
            [.. (await of.Get($"/api/firings?fingerprint={fingerprint}")).Body.GetProperty("firings").EnumerateArray()];
    }

    [Theory, EachStorage]
    public async Task What_the_clock_makes_fire_is_told_once_to_whoever_asks_for_its_event(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (name, when) in ((string, string)[])
                 [
                     ("left", """{"event":{"product":"shop","action":"cart"},"without":{"event":{"product":"shop","action":"buy"},"within":"PT1M"}}"""),
                     ("quiet", """{"event":{"product":"shop","action":"buy"},"silence":{"within":"PT1M"}}"""),
                 ])
            Assert.Equal(201, (await silo.PutRule(name, $$"""{"when":{{when}},"how":"each"}""")).Status);
        await using var all = await LiveStream.Open(silo, FeedClient.Path);
        await using var carts = await LiveStream.Open(silo, FeedClient.Path + "?product=shop&action=cart");
        Assert.Equal(200, (await silo.PostJson($$"""{"product":"shop","action":"cart","fingerprint":"ada","timestamp":"{{DateTime.UtcNow.AddMinutes(-5):O}}"}""")).Status);
        foreach (var stream in (LiveStream[])[all, carts]) await Firing(stream, "left", await Listed("left"));
        var before = all.LastEventId;
        await silo.Database.Storage.FireDue(DateTime.UtcNow.AddMinutes(5), 100);
        await Firing(all, "quiet", await Listed("quiet"));
        await using var again = await LiveStream.Open(silo, FeedClient.Path, before);
        await Firing(again, "quiet", await Listed("quiet"));

        // Once, and not to whoever asks for something else: until the next event's there is no other firing.
        Assert.Equal(200, (await silo.PostForm("action=cart&product=shop&fingerprint=bob")).Status);
        foreach (var stream in (LiveStream[])[all, carts, again])
            while ((await stream.NextData()).GetProperty("fingerprint").GetString() != "bob") { }

        async Task<JsonElement> Listed(string rule) => (await silo.HasFirings(rule, "recorded"))[0];

        // Its event may come before it, or after it.
        static async Task Firing(LiveStream stream, string rule, JsonElement listed)
        {
            var item = await stream.Next();
            while (item?.EventType == "message") item = await stream.Next();
            Assert.Equal("firing", item?.EventType);
            var told = JsonSerializer.Deserialize<JsonElement>(item!.Value.Data);
            Assert.Equal(rule, told.GetProperty("rule").GetString());
            foreach (var member in told.EnumerateObject())
                Assert.Equal(listed.GetProperty(member.Name).GetRawText(), member.Value.GetRawText());
            Assert.Equal(rule == "left", told.TryGetProperty("fingerprint", out _));
        }
    }

    [Theory, EachStorage]
    public async Task A_reader_is_told_only_what_it_asks_for_and_knows_where_it_is(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var views = await LiveStream.Open(app, Path + "&action=view");
        await using var all = await LiveStream.Open(app, Path);
        await Post(app, "f", "view");
        Assert.Equal(200, (await app.PostForm($"action=view&product=other&fingerprint={product}-g")).Status);
        await Post(app, "f", "buy");
        Assert.Equal("view", (await all.NextData()).GetProperty("action").GetString());
        var before = all.LastEventId;
        Assert.Equal("buy", (await all.NextData()).GetProperty("action").GetString());
        await Post(app, "f", "view");
        Assert.Equal([1L, 3L], await Sequences(views, 2));

        // The same events, on a stream with another filter.
        await using var again = await LiveStream.Open(app, Path + "&action=view", before);
        Assert.Equal([3L], await Sequences(again, 1));
        await using var query = await LiveStream.Open(app, $"{Path}&after={before}");
        Assert.Equal([2L, 3L], await Sequences(query, 2));
        await using var first = await LiveStream.Open(app, $"{Path}&after=0", before); // the header comes first
        Assert.Equal([2L], await Sequences(first, 1));
    }

    [Theory, EachStorage]
    public async Task One_who_comes_and_goes_under_load_misses_nothing(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var stop = new CancellationTokenSource();
        await using var always = await LiveStream.Open(app, Path);
        var writing = Task.WhenAll(Enumerable.Range(0, 6).Select(i => Task.Run(async () =>
        {
            for (; !stop.IsCancellationRequested; await Task.Delay(10)) await Post(app, $"f{i % 3}", "busy");
        })));
        var readers = await Task.WhenAll(Enumerable.Range(1, 4).Select(reader => Task.Run(async () =>
        {
            var told = new List<(string, long)>();
            string? lastEventId = null;
            for (var turn = 0; turn < 6; turn++)
            {
                await using var live = await LiveStream.Open(app, Path, lastEventId);
                for (var i = 0; i < reader * 17; i++)
                {
                    var data = await live.NextData();
                    told.Add((data.GetProperty("fingerprint").GetString()!, data.GetProperty("sequence").GetInt64()));
                }
                lastEventId = live.LastEventId;
            }
            return told;
        })));
        await stop.CancelAsync();
        await writing;
        foreach (var told in readers)
            foreach (var ofOne in told.ToLookup(one => one.Item1, one => one.Item2))
                Assert.Equal(Enumerable.Range(0, ofOne.Count()).Select(i => ofOne.First() + i), ofOne);
    }

    [Theory, EachStorage]
    public async Task What_is_too_much_for_a_reader_is_left_out_and_counted(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new() { ["Limits__LiveAllEventsMax"] = "10" });
        await using var live = await LiveStream.Open(app, FeedClient.Path);
        var batch = Enumerable.Range(0, 100)
            .Select(i => $$"""{"action":"a","product":"p","fingerprint":"f{{(i < 70 ? 0 : i % 7)}}"}""");
        Assert.Equal(200, (await app.PostBatch($"[{string.Join(',', batch)}]")).Status);
        var (told, skipped) = (new List<JsonElement>(), 0);
        while (told.Count + skipped < 100)
        {
            var item = (await live.Next())!.Value;
            var data = JsonSerializer.Deserialize<JsonElement>(item.Data);
            if (item.EventType == "message") told.Add(data);
            else skipped += data.GetProperty("events").GetInt32();
        }
        Assert.InRange(told.Count, 10, 50);
        Assert.Equal(100, told.Count + skipped);
        Assert.All(told.GroupBy(e => e.GetProperty("fingerprint").GetString()), ofOne => Assert.Equal(
            ofOne.Select(e => e.GetProperty("sequence").GetInt64()).Order().Distinct(),
            ofOne.Select(e => e.GetProperty("sequence").GetInt64())));
        Assert.Equal(200, (await app.PostForm("action=next&product=p&fingerprint=g")).Status);
        Assert.Equal("next", (await live.NextData()).GetProperty("action").GetString());
    }

    [Theory, EachStorage]
    public async Task An_erased_fingerprint_is_not_told_again(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var app = shared.App;
        await using var live = await LiveStream.Open(app, Path);
        await Post(app, "begin", "old");
        await live.NextData();
        var before = live.LastEventId;
        await Post(app, "f", "old");
        await Post(app, "g", "old");
        await Sequences(live, 2);
        Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, Requests.Path($"{product}-f")))).Status);
        Assert.Equal([0L], await shared.Database.Query(
            $"select count(*) from feed where fingerprint = '{product}-f'", row => row.GetInt64(0)));
        await Post(app, "f", "new");
        Assert.Equal((1, "new"), Seen(await live.NextData()));

        await using var again = await LiveStream.Open(app, $"{Path}&after={before}");
        Assert.Equal((1, "old"), Seen(await again.NextData())); // of the other
        Assert.Equal((1, "new"), Seen(await again.NextData()));

        static (long, string?) Seen(JsonElement e) =>
            (e.GetProperty("sequence").GetInt64(), e.GetProperty("action").GetString());
    }

    [Theory, EachStorage]
    public async Task A_reader_whose_place_is_gone_is_told_and_goes_on(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        string known;
        await using (var live = await LiveStream.Open(app, FeedClient.Path))
        {
            Assert.Equal(200, (await app.PostForm("action=first&product=p&fingerprint=f")).Status);
            await live.NextData();
            known = live.LastEventId;
        }
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_live_readers") == 0,
            "The one that left still counts.");
        // As two minutes later: nobody has watched meanwhile.
        await database.Execute(
            "update feed_watch set until = " + (storage == StorageKind.Sqlite ? "0" : "'-infinity'"));
        Assert.Equal(200, (await app.PostForm("action=unseen&product=p&fingerprint=f")).Status);
        await Eventually.True(async () => (await database.Query("select count(*) from visit_deltas",
            row => row.GetInt64(0)))[0] == 0, "Nothing is merged.");
        foreach (var place in (string[])[known, "9223372036854775807", "1000000-1"])
        {
            await using var live = await LiveStream.Open(app, FeedClient.Path, place);
            await live.AssertNext("reset", "too_old");
            Assert.Equal(200, (await app.PostForm("action=next&product=p&fingerprint=f")).Status);
            Assert.Equal("next", (await live.NextData()).GetProperty("action").GetString());
        }
    }

    [Theory, EachStorage]
    public async Task It_takes_no_odd_place_or_filter(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        foreach (var odd in (string[])["-1", "1-", "-", "1.5", "x", "", "1 2", "+1", "1-2-3", "9223372036854775808",
            "1-9223372036854775808", "1, 2", new string('1', 5_000)])
        {
            (await app.Get($"{Path}&after={Uri.EscapeDataString(odd)}")).AssertRefused(422, "invalid_cursor", "after");
            var request = new HttpRequestMessage(HttpMethod.Get, Path + "&after=1");
            request.Headers.TryAddWithoutValidation("Last-Event-ID", odd);
            if (odd.Length > 0)
                (await app.Send(request)).AssertRefused(422, "invalid_cursor", "Last-Event-ID");
        }
        foreach (var name in (string[])["product", "action"])
        {
            (await app.Get($"{FeedClient.Path}?{name}=")).AssertRefused(422, "missing_field", name);
            (await app.Get($"{FeedClient.Path}?{name}=a&{name}=b")).AssertRefused(422, "duplicate_field", name);
            (await app.Get($"{FeedClient.Path}?{name}=a%00")).AssertRefused(422, "invalid_characters", name);
            (await app.Get($"{FeedClient.Path}?{name}={new string('x', 257)}")).AssertRefused(422, "too_long", name);
        }
        Assert.Equal(HttpStatusCode.MethodNotAllowed,
            (HttpStatusCode)(await app.Send(new(HttpMethod.Post, FeedClient.Path))).Status);
    }

    private static async Task<List<long>> Sequences(LiveStream live, int count)
    {
        var sequences = new List<long>();
        while (sequences.Count < count) sequences.Add((await live.NextData()).GetProperty("sequence").GetInt64());
        return sequences;
    }

    private async Task Post(AppProcess app, string fingerprint, string action) => Assert.Equal(200,
        (await app.PostForm($"action={action}&product={product}&fingerprint={product}-{fingerprint}")).Status);
}
