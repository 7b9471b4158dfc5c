using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Segment's HTTP API beyond what its SDKs send: refusals, repeats and old messages.</summary>
[Collection<SharedApp>]
public sealed class SegmentMessages(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task The_key_may_come_in_the_header_or_the_body_and_the_path_be_short(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (path, key, body) in ((string, string?, string)[])
                 [
                     ("/v1/track", "shop:", """{"messageId":"1","anonymousId":"V","event":"x"}"""),
                     ("/v1/t", null, """{"messageId":"2","anonymousId":"V","event":"x","writeKey":"shop"}"""),
                     ("/v1/b", "shop:secret",
                         """{"batch":[{"type":"track","messageId":"3","anonymousId":"V","event":"x"}],"writeKey":"other"}"""),
                     ("/v1/batch", null,
                         """{"writeKey":"shop","batch":[{"type":"track","messageId":4,"userId":"V","event":"x"}]}"""),
                     ("/v1/batch", "shop", """{"batch":[]}"""),
                 ])
            AssertSuccess(await Post(shared.App, path, body, key));
        Assert.Equal(4, (await shared.App.View(visitor)).Body.GetProperty("counts")[0].GetProperty("count").GetInt64());
        Assert.Equal("shop",
            (await shared.App.View(visitor)).Body.GetProperty("counts")[0].GetProperty("product").GetString());
    }

    [Theory, EachStorage]
    public async Task A_host_that_ends_with_a_slash_is_the_same_host(StorageKind storage)
    {
        var shared = await apps.On(storage);
        using var wire = (await HttpWire.Connect(shared.App.Port))!;
        var sent = 0;
        foreach (var path in (string[])["//v1/track", "///v1/track", "/v1//track", "//v1//t", "//V1/track?x=1",
            "/v1/track/"])
        {
            var message =
                $$"""{"messageId":"slash-{{sent++}}","anonymousId":"{{visitor}}","event":"x","writeKey":"shop"}""";
            Assert.Equal((path, 200),
                (path, (await wire.Ask(HttpWire.PostOf(path, "application/json", message)))!.Status));
        }
        Assert.Equal(sent, await shared.Rows(visitor));
        foreach (var path in (string[])["//api/events", "//v1", "//x/v1/track", "//v1x/track", "//../v1/track/x"])
            Assert.Equal((path, 404),
                (path, (await wire.Ask(HttpWire.PostOf(path, "application/json", "{}")))!.Status));
    }

    [Theory, EachStorage]
    public async Task A_message_sent_again_counts_once_and_its_id_with_other_content_is_a_conflict(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string message =
            """{"messageId":"m-1","anonymousId":"V","event":"x","properties":{"a":1},"timestamp":"T","sentAt":"T"}""";
        for (var i = 0; i < 3; i++)
            AssertSuccess(await Post(shared.App, "/v1/track", message.Replace("\"T\"", $"\"{DateTime.UtcNow:O}\"")));
        AssertSuccess(
            await Post(shared.App, "/v1/batch",
                $$"""{"batch":[{{Typed(message)}},{{Typed(message)}}]}""".Replace("\"T\"", "null")));
        (await Post(shared.App, "/v1/track",
            message.Replace("\"a\":1", "\"a\":2").Replace("\"T\"", "null"))).AssertRefused(409, "id_conflict", "id");
        Assert.Equal(1, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task What_is_refused_in_a_batch_is_named_and_the_rest_is_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        string[] messages =
        [
            """{"type":"track","anonymousId":"V","event":"fine"}""",
            """{"type":"track","anonymousId":"V"}""",
            """{"type":"track","event":"nobody","anonymousId":"","userId":null}""",
            """{"type":"charge","anonymousId":"V"}""",
            """{"anonymousId":"V"}""",
            """17""",
            """{"type":"track","anonymousId":"V","event":"x","properties":[1]}""",
            """{"type":"track","anonymousId":"V","event":"x","properties":{"text":"LARGE"}}""",
            """{"type":"track","anonymousId":"V","event":"x","timestamp":"yesterday"}""",
            """{"type":"track","anonymousId":"V","event":"x","timestamp":"2026-01-01T00:00:00"}""",
            """{"type":"track","anonymousId":"\ud800","event":"x"}""",
            """{"type":"track","anonymousId":"V","event":"fine","messageId":"","properties":null}""",
            """{"type":"track","type":"page","anonymousId":"V"}""",
            """{"type":"track","anonymousId":"V","event":"fine","context":DEEP,"context":{"\ud800":"\u0000","\ud800":1}}""".Replace("DEEP", new string('[', 70) + new string(']', 70)),
            """{"type":"track","anonymousId":"V","event":"fine","properties":{"a":1,"a":"\ud83d"}}""",
            """{"type":"track","anonymousId":"V","event":"cut \ud83d","properties":[ ]}""",
            """{"type":"track","anonymousId":"V","event":"old","timestamp":"2001-01-01T00:00:00Z"}""",
        ];
        var answer =
            await Post(shared.App, "/v1/batch",
                $$"""{"batch":[{{string.Join(',', messages)}}]}""".Replace("LARGE", new string('x', 32 * 1024)));
        answer.AssertRefused(400, "messages_refused");
        var batch = answer.Body.GetProperty("batch");
        Assert.Equal((17, 6), (batch.GetProperty("handled").GetInt32(), batch.GetProperty("recorded").GetInt32()));
        Assert.Equal(
            [(1, "missing_field"), (2, "missing_field"), (3, "unknown_type"), (4, "unknown_type"),
                (5, "malformed_body"), (6, "invalid_properties"),
             (7, "too_long"), (8, "invalid_timestamp"), (9, "invalid_timestamp"), (10, "invalid_characters"),
             (12, "duplicate_field")],
            batch.GetProperty("refused").EnumerateArray()
                .Select(item => (item.GetProperty("index").GetInt32(), item.GetProperty("reason").GetString()!)));
        Assert.Equal(6, await shared.Rows(visitor));
    }

    [Theory]
    [InlineData(400, "malformed_body", "")]
    [InlineData(400, "malformed_body", "nonsense")]
    [InlineData(400, "malformed_body", "[]")]
    [InlineData(400, "malformed_body", "\"text\"")]
    [InlineData(400, "malformed_body", "{\"batch\":[{},]}")]
    [InlineData(422, "duplicate_field", "{\"batch\":[{}],\"batch\":[{}]}")]
    [InlineData(400, "malformed_body", "{\"batch\":[]} {}")]
    [InlineData(422, "missing_field", "{}")]
    [InlineData(422, "missing_field", "{\"batch\":{}}")]
    public async Task A_body_that_is_no_batch_is_refused(int status, string reason, string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var before = await shared.AllRows();
        (await Post(shared.App, "/v1/batch", body)).AssertRefused(status, reason, status == 422 ? "batch" : null);
        Assert.Equal(before, await shared.AllRows());
    }

    [Fact]
    public async Task A_body_that_is_too_large_too_deep_or_in_another_form_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        (await Post(app, "/v1/batch", $$"""{"x":"{{new string('x', 4 << 20)}}"}""")).AssertRefused(413,
            "body_too_large");
        (await Post(app, "/v1/batch",
            $$"""{"batch":[{{string.Join(',', Enumerable.Repeat("{}", 5_001))}}]}""")).AssertRefused(413,
                "body_too_large");
        (await Post(app, "/v1/batch", $$"""{"batch":{{new string('[', 100_000)}}""")).AssertRefused(400,
            "malformed_body");
        (await Post(app, "/v1/track", "event=x", contentType: "application/x-www-form-urlencoded")).AssertRefused(415,
            "unsupported_media_type");
    }

    [Theory]
    [InlineData(null)]
    [InlineData(":")]
    public async Task Without_a_write_key_there_is_no_product(string? key)
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        (await Post(app, "/v1/track", """{"anonymousId":"V","event":"x"}""", key)).AssertRefused(422, "missing_field",
            key is null ? "writeKey" : "product");
    }

    [Fact]
    public async Task A_clock_that_is_wrong_does_not_matter()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var (hours, name) in ((int, string)[])[(-1_000, "behind"), (1_000, "ahead"), (0, "right")])
        {
            var clock = DateTime.UtcNow.AddHours(hours);
            AssertSuccess(await Post(app, "/v1/track", $$"""
                {"anonymousId":"V","event":"{{name}}","timestamp":"{{clock.AddMinutes(-30):O}}","sentAt":"{{clock:O}}"}
                """));
        }
        var occurred = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("created").GetDateTime() - e.GetProperty("occurred").GetDateTime());
        Assert.All(occurred, ago => Assert.InRange(ago, TimeSpan.FromMinutes(30), TimeSpan.FromMinutes(60)));
        // A clock so wrong that the difference leaves the range of times.
        AssertSuccess(
            await Post(app, "/v1/track",
                """{"anonymousId":"V","event":"x","timestamp":"9999-12-31T23:59:59Z","sentAt":"0001-01-01T00:00:00Z"}"""));
    }

    [Fact]
    public async Task The_sdk_for_browsers_is_told_where_to_send()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var answer = await app.Get("/v1/projects/my%22key/settings");
        Assert.Equal(200, answer.Status);
        Assert.Equal(
            $$$"""{"integrations":{"Segment.io":{"apiKey":"my\u0022key","apiHost":"127.0.0.1:{{{app.Port}}}/v1","protocol":"http"}},"metrics":{"sampleRate":0}}""",
            answer.Body.GetRawText());

        var behindTls =
            new HttpRequestMessage(HttpMethod.Get,
                "/v1/projects/shop/settings")
            { Headers = { { "X-Forwarded-Proto", "https" } } };
        var settings = (await app.Send(behindTls)).Body.GetProperty("integrations").GetProperty("Segment.io");
        Assert.Equal("https", settings.GetProperty("protocol").GetString());
    }

    // V in the body stands for the test's visitor.
    private Task<Answer> Post(AppProcess app, string path, string body, string? key = "shop:",
        string contentType = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new StringContent(body.Replace("\"V\"", $"\"{visitor}\""), Encoding.UTF8, contentType),
        };
        if (key is not null)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(key)));
        return app.Send(request);
    }

    private static string Typed(string message) => """{"type":"track",""" + message[1..];

    private static void AssertSuccess(Answer answer) =>
        Assert.Equal((200, """{"success":true}"""), (answer.Status, answer.Body.GetRawText()));
}
