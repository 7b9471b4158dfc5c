using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>CloudEvents as their HTTP binding writes them, beyond what SDKs send.</summary>
[Collection<SharedApp>]
public sealed class CloudEventsMessages(SharedApps apps)
{
    private const string Path = "/api/cloudevents";
    private const string Structured = "application/cloudevents+json";
    private const string Batch = "application/cloudevents-batch+json";
    private const string Minimal =
        """{"specversion":"1.0","id":"1","source":"/shop","type":"order.paid","subject":"V"}""";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task An_event_is_the_same_in_each_content_mode(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var time = DateTime.UtcNow.AddDays(-2).ToString("O");
        var json = $$$"""
            {"specversion":"1.0","id":"a-1","source":"https://shop.example/orders","type":"com.example.order.paid",
            "subject":"{{{visitor}}}","time":"{{{time}}}","datacontenttype":"application/json","tenant":"Käse 5%",
            "data":{"total":9.5,"text":"é"}}
            """;
        var first = await shared.App.Post(Encoding.UTF8.GetBytes(json), Structured, null, Path);
        Assert.Equal((200, "https://shop.example/orders a-1", false),
            (first.Status, first.Text("id"), first.Duplicate));
        Assert.True((await Binary(shared.App, """{"total":9.5,"text":"é"}""", new()
        {
            ["ce-specversion"] = "1.0", ["ce-id"] = "a-1", ["CE-Source"] = "https://shop.example/orders",
            ["ce-type"] = "com.example.order.paid", ["ce-subject"] = visitor, ["ce-time"] = time,
            ["ce-tenant"] = "K%C3%A4se%205%25",
        })).Duplicate);
        var batch = await shared.App.Post(Encoding.UTF8.GetBytes($"[{json},{json.Replace("a-1", "a-2")}]"),
            Batch + "; charset=utf-8", null, Path);
        Assert.Equal((200, 1, 1), (batch.Status, batch.Batch.Recorded, batch.Batch.Repeated));

        var events = await Events(shared.App);
        Assert.Equal(2, events.Count);
        Assert.All(events, one => Assert.Equal(
            ("com.example.order.paid", "https://shop.example/orders", "é", "Käse 5%"),
            (one.GetProperty("action").GetString(), one.GetProperty("product").GetString(),
                one.GetProperty("properties").GetProperty("text").GetString(),
                one.GetProperty("properties").GetProperty("tenant").GetString())));
        Assert.All(events, one => Assert.Equal(DateTime.Parse(time).ToUniversalTime(),
            one.GetProperty("occurred").GetDateTime(), TimeSpan.FromMilliseconds(1)));
    }

    [Theory]
    [InlineData("\"subject\":\"V\",\"fingerprint\":\"F\"", """{"subject":"V"}""")]
    [InlineData("\"subject\":\"F\"", null)]
    [InlineData("\"subject\":\"F\",\"data\":[1,2]", """{"data":[1,2]}""")]
    [InlineData("\"subject\":\"F\",\"data\":\"<x/>\",\"datacontenttype\":\"application/xml\"",
        """{"data":"<x/>","datacontenttype":"application/xml"}""")]
    [InlineData("\"subject\":\"F\",\"data_base64\":\"AAE=\"", """{"data_base64":"AAE="}""")]
    [InlineData("\"subject\":\"F\",\"data\":null,\"level\":5,\"own\":true,\"none\":null",
        """{"level":"5","own":"true"}""")]
    [InlineData("\"subject\":\"F\",\"data\":{\"level\":3},\"level\":5", """{"level":3}""")]
    public async Task What_else_an_event_has_becomes_a_property(string members, string? properties)
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var json = $$"""{"specversion":"1.0","id":"1","source":"/shop","type":"x",{{members}}}"""
            .Replace("\"F\"", $"\"{visitor}\"");
        Assert.Equal(200, (await app.Post(Encoding.UTF8.GetBytes(json), Structured, null, Path)).Status);
        var recorded = Assert.Single(await Events(app));
        Assert.Equal(properties, recorded.TryGetProperty("properties", out var kept) ? kept.GetRawText() : null);
    }

    [Theory]
    [InlineData("text/plain", "Käse", """{"data":"Käse","datacontenttype":"text/plain"}""")]
    [InlineData("application/octet-stream", "AB",
        """{"data_base64":"QUI=","datacontenttype":"application/octet-stream"}""")]
    [InlineData("application/vnd.acme+json; charset=utf-8", "[1]", """{"data":[1]}""")]
    [InlineData(null, "", null)]
    public async Task The_data_of_a_binary_event_is_what_its_content_type_says(
        string? contentType, string body, string? properties)
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        Assert.Equal(200, (await Binary(app, body, Headers(), contentType)).Status);
        var recorded = Assert.Single(await Events(app));
        Assert.Equal(properties is null ? null : JsonSerializer.Serialize(JsonDocument.Parse(properties)),
            recorded.TryGetProperty("properties", out var kept) ? JsonSerializer.Serialize(kept) : null);
    }

    [Theory, EachStorage]
    public async Task Two_sources_may_use_the_same_id(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var sources = (string[])["/a", "/b", "/a b", "/" + new string('x', 200), "/a", "/a b"];
        var ids = (string[])["1", "1", "1", "1", "b 1", "b 1"];
        for (var again = 0; again < 2; again++)
            for (var i = 0; i < sources.Length; i++)
            {
                var answer = await shared.App.Post(Encoding.UTF8.GetBytes(Minimal.Replace("\"V\"", $"\"{visitor}\"")
                    .Replace("/shop", sources[i]).Replace("\"1\"", $"\"{ids[i]}\"")), Structured, null, Path);
                Assert.Equal((200, again == 1), (answer.Status, answer.Duplicate));
            }
        Assert.Equal(sources.Length, await shared.Rows(visitor));
    }

    [Theory]
    [InlineData(400, "malformed_body", null, "")]
    [InlineData(400, "malformed_body", null, "nonsense")]
    [InlineData(400, "malformed_body", null, "[]")]
    [InlineData(422, "missing_field", "specversion", "{}")]
    [InlineData(422, "unknown_value", "specversion", """{"specversion":"2.0","id":"1","source":"/s","type":"x"}""")]
    [InlineData(422, "missing_field", "source", """{"specversion":"1.0","id":"1","source":"","type":"x"}""")]
    [InlineData(422, "missing_field", "id", """{"specversion":"1.0","id":null,"source":"/s","type":"x"}""")]
    [InlineData(422, "invalid_characters", "id", """{"specversion":"1.0","id":"\ud800","source":"/s","type":"x"}""")]
    [InlineData(422, "missing_field", "type", """{"specversion":"1.0","id":"1","source":"/s"}""")]
    [InlineData(422, "missing_field", "fingerprint", """{"specversion":"1.0","id":"1","source":"/s","type":"x"}""")]
    [InlineData(400, "malformed_body", null,
        """{"specversion":"1.0","id":"1","id":"2","source":"/s","type":"x","subject":"V"}""")]
    [InlineData(422, "invalid_timestamp", "timestamp",
        """{"specversion":"1.0","id":"1","source":"/s","type":"x","subject":"V","time":"yesterday"}""")]
    [InlineData(400, "malformed_body", null,
        """{"specversion":"1.0","id":"1","source":"/s","type":"x","subject":"V","Ext":"\ud800"}""")]
    [InlineData(400, "malformed_body", null,
        """{"specversion":"1.0","id":"1","source":"/s","type":"x","subject":["V"]}""")]
    public async Task An_event_that_is_none_is_refused(int status, string reason, string? field, string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var before = await shared.AllRows();
        (await shared.App.Post(Encoding.UTF8.GetBytes(body), Structured, null, Path)).AssertRefused(status, reason,
            field);
        Assert.Equal(before, await shared.AllRows());
    }

    [Fact]
    public async Task A_request_that_is_no_cloud_event_too_large_or_in_another_format_is_refused()
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        var one = Encoding.UTF8.GetBytes(Minimal);
        foreach (var type in (string?[])["application/json", null, "application/cloudevents+avro", "text/plain"])
            (await app.Post(one, type, null, Path)).AssertRefused(415, "unsupported_media_type");
        (await app.Post(one, Structured, null, Path, "zstd")).AssertRefused(415, "unsupported_media_type");
        (await app.Post(one, Structured, null, Path, "gzip")).AssertRefused(400, "malformed_body");
        (await app.Post(new byte[70_000], Structured, null, Path)).AssertRefused(413, "body_too_large");
        (await app.Post(new byte[5 << 20], Batch, null, Path)).AssertRefused(413, "body_too_large");
        (await app.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', Enumerable.Repeat("{}", 5_001))}]"), Batch, null,
            Path)).AssertRefused(413, "body_too_large");
        foreach (var batch in (string[])["", "{}", "[] []", "[1,]", new('[', 100_000)])
            (await app.Post(Encoding.UTF8.GetBytes(batch), Batch, null, Path)).AssertRefused(400, "malformed_body");
        (await app.Post([(byte)'"', 0xFF, (byte)'"'], Structured, null, Path)).AssertRefused(400, "malformed_body");
        (await Binary(app, "{", Headers())).AssertRefused(400, "malformed_body");
        (await Binary(app, new string('[', 100), Headers())).AssertRefused(400, "malformed_body");
    }

    [Fact]
    public async Task What_is_refused_in_a_batch_is_named_and_the_rest_is_recorded()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var fine = Minimal.Replace("\"V\"", $"\"{visitor}\"");
        string[] items =
        [
            fine, "1", fine.Replace("order.paid", ""), fine.Replace("\"1\"", "\"2\""),
            fine.Replace("\"1\"", $"\"3\",\"data\":\"{new string('x', 70_000)}\""),
            fine.Replace("\"1\"", $"\"3\",\"data\":\"{new string('x', 40_000)}\""),
        ];
        var answer = await shared.App.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', items)}]"), Batch, null, Path);
        answer.AssertRefused(400, "messages_refused");
        Assert.Equal(2, answer.Batch.Recorded);
        Assert.Equal([(1, "malformed_body"), (2, "missing_field"), (4, "body_too_large"), (5, "too_long")],
            answer.Batch.Refused.Select(one => (one.Index, one.Reason)));
        Assert.Equal(2, await shared.Rows(visitor));
    }

    private Dictionary<string, string> Headers() => new()
    {
        ["ce-specversion"] = "1.0", ["ce-id"] = "1", ["ce-source"] = "/shop", ["ce-type"] = "order.paid",
        ["ce-subject"] = visitor,
    };

    private static Task<Answer> Binary(
        AppProcess app, string body, Dictionary<string, string> headers, string? contentType = "application/json")
    {
        var request = new HttpRequestMessage(HttpMethod.Post, Path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body)),
        };
        if (contentType is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", contentType);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return app.Send(request);
    }

    private async Task<List<JsonElement>> Events(AppProcess app) =>
        [.. (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()];
}
