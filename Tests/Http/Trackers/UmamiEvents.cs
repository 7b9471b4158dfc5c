using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Umami's API: its SDK for node, and what its script sends.</summary>
[Collection<TrackerApp>]
public sealed class UmamiEvents(TrackerApps apps)
{
    private const string Json = "application/json";

    private readonly string website = Guid.NewGuid().ToString();

    [Theory, EachStorage]
    public async Task What_its_script_sends_is_counted(StorageKind storage)
    {
        var shared = await apps.On(storage);
        // Three requests of script.js, in the order in which it writes the members.
        const string page = """
            "website":"SITE","screen":"1920x1080","language":"en-US","title":"Käse","hostname":"shop.example","url":"https://shop.example/cheese?utm_source=mail#top","referrer":"https://www.google.com/"
            """;
        var cache = "";
        foreach (var body in (string[])
                 [
                     """{"type":"event","payload":{PAGE}}""",
                     """{"type":"event","payload":{PAGE,"tag":"b","name":"buy","data":{"price":9.50,"list":[1,2]}}}""",
                     """{"type":"identify","payload":{PAGE,"id":"user-SITE","data":{"plan":"pro"}}}""",
                     """{"type":"performance","payload":{PAGE,"lcp":812.5,"cls":0.01}}""",
                 ])
        {
            var (status, answer) = await shared.App.Track("/api/send",
                body.Replace("PAGE", page).Replace("SITE", website), Json,
                headers: [("x-umami-website-id", website), ("x-umami-hostname", "shop.example"),
                    ("x-umami-cache", cache)]);
            Assert.Equal((200, true), (status, answer.StartsWith("{\"cache\":\"", StringComparison.Ordinal)));
            cache = JsonDocument.Parse(answer).RootElement.GetProperty("cache").GetString()!;
        }
        var events = await shared.Events(website);
        Assert.Equal(["buy", "identify", "performance", "view"], events.Select(one => one.Action).Order());
        Assert.Equal("user-" + website, events.Single(one => one.Action == "identify").Fingerprint);
        Assert.Equal(2, events.Select(one => one.Fingerprint).Distinct().Count());
        Assert.Equal(cache, events.First(one => one.Action == "view").Fingerprint);
        Assert.All(events, one => Assert.Equal(("/cheese", "mail", "1536", "en-US", "Käse"),
            (one["path"], one["utm_source"], one["screen"], one["language"], one["title"])));
        Assert.Equal(("9.50", "b", "www.google.com"), Of(events, "buy", "price", "tag", "referrer"));
        Assert.Equal(("pro", null, "www.google.com"), Of(events, "identify", "plan", "tag", "referrer"));
        Assert.Equal(("812.5", "0.01", "shop.example"), Of(events, "performance", "lcp", "cls", "hostname"));
    }

    [Theory, EachStorage]
    public async Task What_its_sdk_for_node_sends_is_counted_once_each(StorageKind storage)
    {
        const int each = 50;
        var shared = await apps.On(storage);
        List<object> lines =
        [
            new { identify = new { plan = "pro" } },
            new { data = new { url = "/pricing", title = "Pricing", id = "ada-" + website, referrer = "https://x.example/" } },
            .. Enumerable.Range(0, each).Select(i => new { name = "buy", data = new { i } }),
        ];
        var answers = await NodeProgram.Run("umami.js", [$"http://127.0.0.1:{shared.App.Port}", website], lines);
        Assert.Equal(lines.Count, answers.Length);
        Assert.All(answers, answer => Assert.StartsWith("200 {\"cache\":\"", answer));
        var events = await shared.Events(website);
        Assert.Equal(lines.Count, events.Count);
        Assert.Equal(each, events.Where(one => one.Action == "buy").Select(one => one["i"]).Distinct().Count());
        var view = events.Single(one => one.Action == "view");
        Assert.Equal(("ada-" + website, "/pricing", "Pricing", "x.example"),
            (view.Fingerprint, view["path"], view["title"], view["referrer"]));
    }

    [Theory, EachStorage]
    public async Task A_batch_counts_what_is_good_and_names_the_rest(StorageKind storage)
    {
        var shared = await apps.On(storage);
        string[] messages =
        [
            """{"type":"event","payload":{"website":"SITE","url":"/a","id":"ada","timestamp":TIME}}""",
            """{"type":"event","payload":{"website":"SITE","url":"/b"}}""",
            """{"type":"charge","payload":{"website":"SITE"}}""",
            """{"type":"event"}""",
            """{"type":"event","payload":{"url":"/"}}""",
            """{"type":"event","payload":{"website":"SITE","data":[1]}}""",
            """{"type":"event","payload":{"website":"SITE","timestamp":1000000000}}""",
            """{"type":"event","payload":{"website":"SITE","name":"a\u0000"}}""",
            """17""",
            """{"type":"identify","payload":{"website":"SITE","id":"ada","data":{"half":"\ud83d"}}}""",
        ];
        var time = DateTimeOffset.UtcNow.AddDays(-3).ToUnixTimeSeconds();
        var (status, body) = await Batch(shared, $"[{string.Join(',', messages)}]".Replace("TIME", $"{time}"));
        var answer = JsonDocument.Parse(body).RootElement;
        Assert.Equal((200, 10, 3, 7), (status, answer.GetProperty("size").GetInt32(),
            answer.GetProperty("processed").GetInt32(), answer.GetProperty("errors").GetInt32()));
        Assert.Equal(
            [(2, "unknown_value"), (3, "missing_field"), (4, "missing_field"), (5, "invalid_properties"),
                (6, "out_of_range"), (7, "invalid_characters"), (8, "malformed_body")],
            answer.GetProperty("details").EnumerateArray().Select(one => (one.GetProperty("index").GetInt32(),
                one.GetProperty("response").GetProperty("reason").GetString()!)));
        Assert.Equal(3, (await shared.Events(website)).Count);
        Assert.Equal((200, """{"size":0,"processed":0,"errors":0,"details":[]}"""), await Batch(shared, "[]"));
    }

    [Theory]
    [InlineData(400, "malformed_body", null, "")]
    [InlineData(400, "malformed_body", null, "[]")]
    [InlineData(422, "unknown_value", "type", "{}")]
    [InlineData(422, "unknown_value", "type", """{"type":"error","payload":{"website":"SITE"}}""")]
    [InlineData(422, "missing_field", "payload", """{"type":"event","payload":"x"}""")]
    [InlineData(422, "missing_field", "product", """{"type":"event","payload":{"website":{}}}""")]
    [InlineData(422, "invalid_characters", "fingerprint", """{"type":"event","payload":{"website":"SITE","id":"\ud800"}}""")]
    [InlineData(422, "invalid_timestamp", "timestamp", """{"type":"event","payload":{"website":"SITE","timestamp":"soon"}}""")]
    [InlineData(422, "too_long", "properties", """{"type":"event","payload":{"website":"SITE","title":"LARGE"}}""")]
    [InlineData(413, "body_too_large", null, """{"type":"event","payload":{"website":"SITE","title":"LARGELARGE"}}""")]
    public async Task What_cannot_be_read_is_refused_and_nothing_recorded(int status, string reason, string? field,
        string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await shared.App.Track("/api/send",
            body.Replace("SITE", website).Replace("LARGE", new string('x', 33_000)), Json))
            .AssertRefused(status, reason, field);
        Assert.Empty(await shared.Events(website));
    }

    [Fact]
    public async Task A_batch_that_is_none_or_too_large_is_refused_whole()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await Batch(shared, "{}")).AssertRefused(400, "malformed_body");
        (await Batch(shared, $"[{string.Join(',', Enumerable.Repeat("{}", 5_001))}]"))
            .AssertRefused(413, "body_too_large");
        (await Batch(shared, $"[\"{new string('x', 4 << 20)}\"]")).AssertRefused(413, "body_too_large");
    }

    private Task<(int Status, string Body)> Batch(Shared shared, string body) =>
        shared.App.Track("/api/batch", body.Replace("SITE", website), Json);

    private static (string?, string?, string?) Of(List<TrackedEvent> events, string action, string a, string b,
        string c)
    {
        var found = events.Single(one => one.Action == action);
        return (found[a], found[b], found[c]);
    }
}
