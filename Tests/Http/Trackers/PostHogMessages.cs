using System.IO.Compression;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>PostHog's API as its SDKs of all times use it, and what they never send.</summary>
[Collection<SharedApp>]
public sealed class PostHogMessages(SharedApps apps)
{
    private const string Form = "application/x-www-form-urlencoded";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task An_event_is_the_same_on_each_path_and_in_each_form(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var json = One("tick", Guid.NewGuid());
        var array = $"[{json}]";
        var batch = $$"""{"api_key":"phc","batch":{{array}},"sent_at":"{{DateTime.UtcNow:O}}"}""";
        var base64 = Convert.ToBase64String(Encoding.UTF8.GetBytes(array));
        foreach (var (path, type, body) in ((string, string?, byte[])[])
                 [
                     ("/capture", "application/json", Bytes(json)), ("/capture/", null, Bytes(json)),
                     ("/e/?ip=0&ver=1.449.2", "text/plain", Gzip(batch)), ("/e", "text/plain", Gzip(array)),
                     ("/e/?compression=gzip-js", "text/plain", Gzip(batch)),
                     ("/batch/", "application/json", Bytes(batch)),
                     ("/i/v0/e", "application/json", Bytes(json)), ("/i/v0/e/", "application/octet-stream", Gzip(json)),
                     ("/e?compression=base64", Form, Bytes("data=" + Uri.EscapeDataString(base64))),
                     ("/e", Form, Bytes("data=" + base64.TrimEnd('='))), ("/e", "text/plain", Bytes("data=" + base64)),
                     ("/e", Form, Bytes("data=" + Uri.EscapeDataString(json))),
                 ])
        {
            var answer = await shared.App.Post(body, type, null, path);
            Assert.True(answer is { Status: 200 } && answer.Body.GetRawText() == """{"status":1}""",
                $"{answer.Status} {answer.Body} for {path} {type}");
        }
        Assert.Equal(200, (await shared.App.Post(Gzip(batch), "application/json", null, "/batch/", "gzip")).Status);
        var recorded = Assert.Single(await Events(shared.App));
        Assert.Equal(("tick", "phc", 1), (recorded.GetProperty("action").GetString(),
            recorded.GetProperty("product").GetString(),
            recorded.GetProperty("properties").EnumerateObject().Count()));
    }

    [Fact]
    public async Task A_page_view_has_the_properties_of_the_script_tag()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var json = $$$"""
            {"event":"$pageview","properties":{"token":"phc","distinct_id":"{{{visitor}}}","title":"Docs",
            "$current_url":"https://shop.example/docs?utm_source=mail","$referrer":"https://x.example/a",
            "$viewport_width":1470,"$browser_language":"de-DE","$raw_user_agent":"Mozilla","$ip":"203.0.113.1"},
            "$set":{"plan":"pro"},"offset":60000}
            """;
        Assert.Equal(200, (await app.Post(Bytes(json), "application/json", null, "/e/")).Status);
        var recorded = Assert.Single(await Events(app));
        Assert.Equal("view", recorded.GetProperty("action").GetString());
        Assert.Equal(
            """
            {"title":"Docs","$current_url":"https://shop.example/docs?utm_source=mail","$referrer":"https://x.example/a","$viewport_width":1470,"$browser_language":"de-DE","$set":{"plan":"pro"},"path":"/docs","utm_source":"mail","referrer":"x.example","screen":1024,"language":"de-DE"}
            """, recorded.GetProperty("properties").GetRawText());
        Assert.InRange(
            recorded.GetProperty("created").GetDateTime() - recorded.GetProperty("occurred").GetDateTime(),
            TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public async Task A_clock_that_is_wrong_does_not_matter()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var clock = DateTime.UtcNow.AddDays(-300);
        Assert.Equal(200, (await app.Post(Bytes($$"""
            {"api_key":"phc","batch":[{"event":"x","distinct_id":"{{visitor}}","timestamp":"{{clock.AddMinutes(-30):O}}"}],
            "sent_at":"{{clock:O}}"}
            """), null, null, "/batch")).Status);
        var recorded = Assert.Single(await Events(app));
        Assert.InRange(
            recorded.GetProperty("created").GetDateTime() - recorded.GetProperty("occurred").GetDateTime(),
            TimeSpan.FromMinutes(29), TimeSpan.FromMinutes(60));
    }

    [Fact]
    public async Task What_is_refused_in_a_batch_is_named_and_the_rest_is_recorded()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        string[] events =
        [
            One("fine", Guid.NewGuid()), "1", $$"""{"distinct_id":"{{visitor}}"}""", """{"event":"x"}""",
            One("large", Guid.NewGuid(), new string('x', 40_000)),
            One("larger", Guid.NewGuid(), new string('x', 70_000)),
            $$$"""{"event":"x","distinct_id":"{{{visitor}}}","properties":{"a":DEEP}}"""
                .Replace("DEEP", new string('[', 80) + new string(']', 80)),
            $$"""{"event":"x","distinct_id":"\ud800"}""", One("fine", Guid.NewGuid(), "\\ud83d"),
        ];
        var answer = await shared.App.Post(Bytes($$"""{"api_key":"phc","batch":[{{string.Join(',', events)}}]}"""),
            "application/json", null, "/batch/");
        answer.AssertRefused(400, "messages_refused");
        Assert.Equal((9, 2), (answer.Batch.Handled, answer.Batch.Recorded));
        Assert.Equal([(1, "malformed_body"), (2, "missing_field"), (3, "missing_field"), (4, "too_long"),
            (5, "body_too_large"), (6, "malformed_body"), (7, "invalid_characters")],
            answer.Batch.Refused.Select(one => (one.Index, one.Reason)));
        Assert.Equal(2, await shared.Rows(visitor));
    }

    [Theory]
    [InlineData(400, "malformed_body", null, "")]
    [InlineData(400, "malformed_body", null, "nonsense")]
    [InlineData(400, "malformed_body", null, "[1,]")]
    [InlineData(400, "malformed_body", null, "data=%21")]
    [InlineData(422, "duplicate_field", "data", "data=e30&data=e30")]
    [InlineData(422, "missing_field", "api_key", "{}")]
    [InlineData(422, "missing_field", "api_key", "data=e30")]
    [InlineData(422, "missing_field", "api_key", "[]")]
    [InlineData(422, "duplicate_field", "batch", """{"api_key":"phc","batch":[],"batch":[]}""")]
    [InlineData(422, "missing_field", "action", """{"api_key":"phc"}""")]
    [InlineData(422, "invalid_timestamp", "timestamp",
        """{"api_key":"phc","event":"x","distinct_id":"V","timestamp":"yesterday"}""")]
    public async Task A_body_that_is_no_event_is_refused(int status, string reason, string? field, string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var before = await shared.AllRows();
        (await shared.App.Post(Bytes(body), "text/plain", null, "/e/")).AssertRefused(status, reason, field);
        Assert.Equal(before, await shared.AllRows());
    }

    [Fact]
    public async Task A_body_that_is_too_large_also_unpacked_or_broken_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var bomb = Gzip($$"""{"api_key":"{{new string('x', 64 << 20)}}"}""");
        Assert.InRange(bomb.Length, 1, 1 << 20);
        (await app.Post(bomb, "text/plain", null, "/e/")).AssertRefused(413, "body_too_large");
        (await app.Post(bomb, "text/plain", null, "/e/", "gzip")).AssertRefused(413, "body_too_large");
        (await app.Post(Gzip("{}")[..^4], "text/plain", null, "/e/")).AssertRefused(400, "malformed_body");
        (await app.Post([.. Gzip("{}"), 1], "text/plain", null, "/e/")).AssertRefused(400, "malformed_body");
        (await app.Post([0x1F], "text/plain", null, "/e/")).AssertRefused(400, "malformed_body");
        (await app.Post([0x1F, 0x8B], "text/plain", null, "/e/")).AssertRefused(400, "malformed_body");
        (await app.Post(Bytes($"[{string.Join(',', Enumerable.Repeat("{}", 5_001))}]"), "text/plain", null, "/e/"))
            .AssertRefused(413, "body_too_large");
        (await app.Post(new byte[5 << 20], "text/plain", null, "/batch/")).AssertRefused(413, "body_too_large");
        (await app.Post(Bytes("{}"), "image/png", null, "/e/")).AssertRefused(415, "unsupported_media_type");
    }

    [Fact]
    public async Task Sdks_are_told_that_there_are_no_flags_and_nothing_to_load()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var path in (string[])["/flags/?v=2", "/decide/?v=3"])
        {
            var flags = await app.Post(Bytes("""{"token":"phc"}"""), "text/plain", null, path);
            Assert.Equal((200, "{}", "{}"), (flags.Status, flags.Body.GetProperty("flags").GetRawText(),
                flags.Body.GetProperty("featureFlags").GetRawText()));
        }
        var settings = await app.Get("/array/phc/config?ip=0");
        Assert.Equal(("phc", "/i/v0/e/", JsonValueKind.False), (settings.Text("token"),
            settings.Body.GetProperty("analytics").GetProperty("endpoint").GetString(),
            settings.Body.GetProperty("sessionRecording").ValueKind));
        var script = await app.Http.GetStringAsync("/array/%3C%2Fscript%3E%22/config.js");
        Assert.StartsWith("(window._POSTHOG_REMOTE_CONFIG=", script);
        Assert.DoesNotContain("</script>", script);
    }

    [Fact]
    public async Task A_key_in_place_of_the_token_is_not_recorded()
    {
        const string bound = "bound-0123456789abcdef", free = "free-0123456789abcdef";
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        await using var app = await AppProcess.Start(database,
            new() { ["APP_WRITE_KEYS"] = $"{bound};products=shop {free}" });
        Task<Answer> Send(string token, string query = "") => app.Post(
            Bytes($$$"""{"event":"x","distinct_id":"V","properties":{"token":"{{{token}}}"}}"""), null, null,
            "/e/" + query);
        Assert.Equal(200, (await Send(bound)).Status);
        Assert.Equal(200, (await Send("phc", "?writeKey=" + free)).Status);
        (await Send(free)).AssertRefused(403, "key_without_product");
        (await Send("phc")).AssertRefused(401, "unknown_key");
        Assert.Equal(["phc", "shop"],
            await database.Query("select product from events order by product", row => row.GetString(0)));
    }

    private string One(string name, Guid id, string text = "") =>
        $$$"""{"uuid":"{{{id}}}","event":"{{{name}}}","distinct_id":"{{{visitor}}}","properties":{"token":"phc","text":"{{{text}}}"}}""";

    private static byte[] Bytes(string text) => Encoding.UTF8.GetBytes(text);

    private static byte[] Gzip(string text)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(Bytes(text));
        return packed.ToArray();
    }

    private async Task<List<JsonElement>> Events(AppProcess app) =>
        [.. (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()];
}
