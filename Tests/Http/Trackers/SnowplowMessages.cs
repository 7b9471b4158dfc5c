using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Snowplow's tracker protocol beyond what its tracker for servers sends.</summary>
[Collection<SharedApp>]
public sealed class SnowplowMessages(SharedApps apps)
{
    private const string Path = "/com.snowplowanalytics.snowplow/tp2";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task A_view_is_the_same_as_a_body_and_as_an_image(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var id = Guid.NewGuid();
        var time = DateTimeOffset.UtcNow.AddDays(-300).ToUnixTimeMilliseconds(); // by a clock that is wrong
        (string Name, string Value)[] pairs =
        [
            ("e", "pv"), ("eid", $"{id}"), ("aid", "shop"), ("duid", visitor), ("uid", "u-1"), ("p", "web"),
            ("url", "https://shop.example/docs?utm_source=mail"), ("page", "Käse"), ("refr", "https://x.example/"),
            ("lang", "de-DE"), ("vp", "1470x900"), ("dtm", $"{time}"), ("stm", $"{time + 60_000}"),
            ("ip", "203.0.113.1"), ("ua", "Mozilla"), ("cx", "eyJkYXRhIjpbeyJkYXRhIjp7ImEiOjF9fV19"),
        ];
        var query = "/i?" + string.Join('&', pairs.Select(pair => $"{pair.Name}={Uri.EscapeDataString(pair.Value)}"));
        for (var i = 0; i < 2; i++)
        {
            using var image = await shared.App.Http.GetAsync(query);
            Assert.Equal((200, "image/gif"), ((int)image.StatusCode, image.Content.Headers.ContentType?.MediaType));
        }
        using var head = await shared.App.Http.SendAsync(new(HttpMethod.Head, query.Replace($"{id}", "other")));
        Assert.Equal(200, (int)head.StatusCode);
        var data = JsonSerializer.Serialize(pairs.ToDictionary(pair => pair.Name, pair => pair.Value));
        Assert.Equal(200, (await Post(shared.App, $$"""{"schema":"iglu:x","data":[{{data}}]}""")).Status);

        var recorded = Assert.Single(await Events(shared.App));
        Assert.Equal(("view", "shop"),
            (recorded.GetProperty("action").GetString(), recorded.GetProperty("product").GetString()));
        Assert.Equal(
            ["contexts", "language", "p", "path", "referrer", "screen", "title", "uid", "url", "utm_source"],
            recorded.GetProperty("properties").EnumerateObject().Select(one => one.Name).Order(StringComparer.Ordinal));
        Assert.Equal(1024, recorded.GetProperty("properties").GetProperty("screen").GetInt32());
        Assert.InRange(
            recorded.GetProperty("created").GetDateTime() - recorded.GetProperty("occurred").GetDateTime(),
            TimeSpan.FromSeconds(59), TimeSpan.FromSeconds(61));
    }

    [Fact]
    public async Task What_is_refused_in_a_batch_is_named_and_the_rest_is_recorded()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        string Event(string members) => $$"""{"aid":"shop","duid":"{{visitor}}",{{members}}}""";
        const string click = """{\"data\":{\"schema\":\"iglu:a/click/jsonschema/1-0-0\",\"data\":DATA}}""";
        string[] events =
        [
            Event("\"e\":\"pp\""), "1", "{}", Event("\"e\":\"zz\""), Event("\"e\":\"se\""), Event("\"e\":\"ue\""),
            Event("\"e\":\"ue\",\"ue_px\":\"!\""), Event("\"e\":\"ue\",\"ue_pr\":\"{\""),
            Event($"\"e\":\"ue\",\"ue_pr\":\"{click.Replace("DATA", "[1]")}\""),
            """{"e":"pv","duid":"V"}""", """{"e":"pv","aid":"shop"}""", Event("\"e\":\"pv\",\"dtm\":\"yesterday\""),
            Event($"\"e\":\"pv\",\"url\":\"{new string('x', 70_000)}\""),
            Event("\"e\":\"ti\",\"ti_id\":5,\"none\":null"),
        ];
        var answer = await Post(shared.App, $$"""{"data":[{{string.Join(',', events)}}]}""");
        answer.AssertRefused(400, "messages_refused");
        Assert.Equal((14, 3), (answer.Batch.Handled, answer.Batch.Recorded));
        Assert.Equal(
            [
                (1, "malformed_body"), (2, "unknown_value"), (3, "unknown_value"), (4, "missing_field"),
                (5, "missing_field"), (6, "malformed_body"), (7, "malformed_body"), (9, "missing_field"),
                (10, "missing_field"), (11, "invalid_timestamp"), (12, "body_too_large"),
            ],
            answer.Batch.Refused.Select(one => (one.Index, one.Reason)));
        Assert.Equal(3, await shared.Rows(visitor));
    }

    [Fact]
    public async Task A_request_that_is_malformed_or_too_large_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        foreach (var body in (string[])["", "[]", "nonsense", """{"data":1}""", """{"data":"[1]"}""", """{"data":[1,]}"""])
            (await Post(app, body)).AssertRefused(400, "malformed_body");
        (await Post(app, "{}")).AssertRefused(422, "missing_field", "data");
        (await Post(app, """{"data":[],"data":[]}""")).AssertRefused(422, "duplicate_field", "data");
        (await Post(app, $$"""{"data":[{{string.Join(',', Enumerable.Repeat("{}", 5_001))}}]}"""))
            .AssertRefused(413, "body_too_large");
        (await app.Post(new byte[5 << 20], "application/json", null, Path)).AssertRefused(413, "body_too_large");
        (await app.Post("{}"u8.ToArray(), "image/png", null, Path)).AssertRefused(415, "unsupported_media_type");
        (await app.Get("/i")).AssertRefused(422, "unknown_value", "e");
        (await app.Get("/i?e=pv&e=pv")).AssertRefused(422, "duplicate_field", "e");
        (await app.Get("/i?e=%ff")).AssertRefused(400, "malformed_query");
        (await app.Get("/i?e=pv&aid=shop")).AssertRefused(422, "missing_field", "fingerprint");
    }

    private static Task<Answer> Post(AppProcess app, string body) =>
        app.Post(Encoding.UTF8.GetBytes(body), "application/json; charset=UTF-8", null, Path);

    private async Task<List<JsonElement>> Events(AppProcess app) =>
        [.. (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()];
}
