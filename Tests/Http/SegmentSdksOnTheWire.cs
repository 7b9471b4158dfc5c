using System.IO.Compression;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// What each of Segment's SDKs sends: its path, headers, encoding and body, as its source writes them.
/// docs/reference/segment.md names the versions. The SDKs for node and browsers run for real in other tests.
/// </summary>
[Collection<SharedApp>]
public sealed class SegmentSdksOnTheWire(SharedApps apps)
{
    private const string Json = "application/json";
    private const string Key = "shop";

    // V stands for the test's visitor, T for now as the SDK writes times, NOW for the same with Z. M makes each
    // message's id unique.
    private sealed record Sdk(string Name, string Path, string? ContentType, string Body, bool Basic = false,
        bool Gzip = false, bool Chunked = false, string Time = "yyyy-MM-ddTHH:mm:ss.fff'Z'");

    private static readonly Sdk[] Sdks =
    [
        new("Ruby", "/v1/import", Json, """
            {"sentAt":"NOW","batch":[{"context":{"library":{"name":"analytics-ruby","version":"2.5.0"}},"messageId":"M1","timestamp":"T","userId":"V","type":"track","event":"Order Completed","properties":{"total":9.5,"at":"2026-01-02T03:04:05.678Z","d":"2026-01-02"}},{"context":{},"messageId":"M2","timestamp":"T","anonymousId":"V","integrations":{"All":true},"type":"identify","traits":{"a":1}}]}
            """, Basic: true, Time: "yyyy-MM-ddTHH:mm:ss.fff'+00:00'"),
        new("Java", "/v1/import/", "application/json; charset=UTF-8", """
            {"batch":[{"type":"track","messageId":"M1","timestamp":"T","userId":"V","integrations":{},"event":"Order Completed","properties":{"total":9.5}},{"type":"identify","messageId":"M2","timestamp":"T","anonymousId":"V","traits":{"a":1}}],"sentAt":"NOW","context":{"library":{"name":"analytics-java","version":"3.5.5"},"instanceId":"0f0e0d0c-0b0a-4908-8706-050403020100"},"sequence":1,"writeKey":"shop"}
            """),
        new("Go", "/v1/batch", Json, """
            {"messageId":"a2a0f6a4-58a1-4f0e-9d0c-5b1b8e3f7c21","sentAt":"T","batch":[{"type":"track","messageId":"M1","userId":"V","event":"Order Completed","timestamp":"T","properties":{"total":9.5}},{"type":"identify","messageId":"M2","anonymousId":"V","timestamp":"T","traits":{"a":1}}],"context":{"library":{"name":"analytics-go","version":"3.0.0"}}}
            """, Basic: true, Time: "yyyy-MM-ddTHH:mm:ss.ffffff'789+00:00'"),
        new("Python", "/v1/batch", Json, """
            {"batch": [{"integrations": {}, "anonymousId": null, "properties": {"total": 9.5, "at": "2026-01-02T03:04:05.678900", "\u00e9": 1}, "timestamp": "T", "context": {"library": {"name": "analytics-python", "version": "2.3.4"}}, "userId": "V", "type": "track", "event": "Order Completed", "messageId": "M1"}, {"anonymousId": "V", "userId": null, "type": "identify", "traits": {"a": 1}, "category": null, "name": null, "timestamp": "T", "messageId": "M2"}], "sentAt": "T", "writeKey": "shop"}
            """, Gzip: true, Time: "yyyy-MM-ddTHH:mm:ss'+00:00'"),
        new("PHP", "/v1/batch", Json, """
            {"batch":[{"userId":"V","event":"Order Completed","properties":{"total":9.5,"url":"https:\/\/a\/\u00e9","empty":[]},"timestamp":"T","integrations":[],"context":{"library":{"name":"analytics-php","version":"3.8.2","consumer":"LibCurl"}},"messageId":"M1","type":"track"},{"anonymousId":"V","timestamp":"1970-01-01T00:33:46+00:00","traits":[],"messageId":"M2","type":"identify"}],"sentAt":"T"}
            """, Basic: true, Time: "yyyy-MM-ddTHH:mm:ss'+00:00'"),
        new(".NET", "/v1/import", Json, """
            {"messageId":"a6c59b78-2d10-4973-8a17-8c521c048093","sentAt":"T","batch":[{"event":"Order Completed","properties":{"total":9.5,"at":"2026-01-02T03:04:05Z"},"type":"track","messageId":"M1","timestamp":"T","context":{"library":{"name":"Analytics.NET","version":"3.8.1"}},"integrations":{},"anonymousId":null,"userId":"V"},{"type":"identify","traits":{"a":1},"messageId":"M2","timestamp":"T","anonymousId":"V","userId":null}]}
            """, Basic: true, Gzip: true, Time: "O"),
        new("C#", "/v1/b", null, """
            {"batch":[{"type":"track","event":"Order Completed","properties":{"total": 9.5,"s": "é<"},"anonymousId":"V","messageId":"M1","userId":"","timestamp":"T","context":{"os": "Debian GNU/Linux 12 (bookworm)","platform": ".NET"},"integrations":{},"metrics":null,"_metadata":{"bundled":[],"unbundled":[],"bundledIds":[]}},{"type":"identify","anonymousId":"V","traits":{"a":1},"messageId":"M2","timestamp":"T"}],"sentAt":"T","writeKey":"shop"}
            """, Gzip: true, Time: "O"),
        new("Kotlin", "/v1/b", "text/plain", """
            {"batch":[{"properties":{"total":9.5},"event":"Order Completed","type":"track","messageId":"M1","anonymousId":"V","context":{},"timestamp":"T","_metadata":{}},{"traits":{"a":1},"type":"identify","messageId":"M2","anonymousId":"V","timestamp":"T"}],"sentAt":"T","writeKey":"shop"}
            """, Gzip: true, Chunked: true),
        new("Swift", "/v1/b", "application/json; charset=utf-8", """
            { "batch": [
            {"properties":{"total":9.5},"event":"Order Completed","type":"track","messageId":"M1","anonymousId":"V","timestamp":"T"},
            {"traits":{"a":1},"type":"identify","messageId":"M2","anonymousId":"V","timestamp":"T"}],"sentAt":"T","writeKey":"shop"}
            """),
        new("Android", "/v1/import", Json, """
            {"batch":[{"event":"Order Completed","properties":{"total":9.5},"type":"track","messageId":"M1","anonymousId":"V","timestamp":"T","channel":"mobile"},{"traits":{"a":1},"type":"identify","messageId":"M2","anonymousId":"V","timestamp":"T"}],"sentAt":"NOW","writeKey":"shop"}
            """, Gzip: true, Chunked: true, Time: "yyyy-MM-ddTHH:mm:ss.fffffff'00Z'"),
        new("iOS", "/v1/batch", Json, """
            {"batch":[{"event":"Order Completed","properties":{"total":9.5},"type":"track","messageId":"M1","anonymousId":"V","timestamp":"T"},{"traits":{"a":1},"type":"identify","messageId":"M2","anonymousId":"V","timestamp":"T"}],"sentAt":"NOW","writeKey":"shop"}
            """, Gzip: true),
        new("node of before", "/v1/batch", Json, """
            {"batch":[{"userId":"V","event":"Order Completed","properties":{"total":9.5},"timestamp":"T","type":"track","_metadata":{"nodeVersion":"20.20.2"},"messageId":"M1"},{"anonymousId":"V","traits":{"a":1},"timestamp":"T","type":"identify","messageId":"M2"}],"timestamp":"T","sentAt":"T"}
            """, Basic: true),
        new("Elixir", "/v1/batch", Json, """
            {"batch":[{"userId":"V","event":"Order Completed","properties":{"total":9.5},"timestamp":"T","sentAt":"T","type":"track","context":{"app":null},"messageId":"M1"},{"anonymousId":"V","traits":{"a":1},"timestamp":"T","sentAt":"T","type":"identify","messageId":"M2"}]}
            """, Basic: true, Time: "yyyy-MM-ddTHH:mm:ss.ffffff'Z'"),
    ];

    public static TheoryData<string> Names => [.. Sdks.Select(sdk => sdk.Name)];

    [Theory, MemberData(nameof(Names))]
    public async Task Each_message_is_recorded_once_however_often_it_is_sent(string name)
    {
        var shared = await apps.On(name.Length % 2 == 0 ? StorageKind.Postgres : StorageKind.Sqlite);
        var visitor = $"sdk-{Guid.NewGuid()}";
        var sdk = Sdks.Single(one => one.Name == name);
        var happened = DateTime.UtcNow.AddSeconds(-30);
        string Written(string format) => happened.ToString(format, System.Globalization.CultureInfo.InvariantCulture);
        var body = sdk.Body.Replace("\"V\"", $"\"{visitor}\"").Replace("\"T\"", $"\"{Written(sdk.Time)}\"")
            .Replace("\"NOW\"", $"\"{Written("yyyy-MM-ddTHH:mm:ss.fff'Z'")}\"")
            .Replace("\"M1\"", $"\"{visitor}-1\"").Replace("\"M2\"", $"\"{visitor}-2\"");
        for (var i = 0; i < 2; i++)
        {
            using var request = Request(sdk, body);
            using var response = await shared.App.Http.SendAsync(request);
            // some SDKs look at both
            Assert.Equal((200, Json), ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
            Assert.Equal("""{"success":true}""", await response.Content.ReadAsStringAsync());
        }
        var events =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
                .ToList();
        Assert.Equal(["Order Completed", "identify"], events.Select(e => e.GetProperty("action").GetString()));
        Assert.All(events, e => Assert.Equal(Key, e.GetProperty("product").GetString()));
        Assert.Equal(9.5, events[0].GetProperty("properties").GetProperty("total").GetDouble());
        Assert.InRange(events[0].GetProperty("occurred").GetDateTime(), happened.AddSeconds(-2), DateTime.UtcNow);
    }

    [Theory, EachStorage]
    public async Task A_batch_as_large_as_an_sdk_makes_it_is_recorded(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var visitor = $"large-{Guid.NewGuid()}";
        // Messages of 32 KB with an event name of 256 bytes. Rust's SDK puts 16 of them into one batch.
        var messages = Enumerable.Range(0, 16).Select(i =>
            $$$"""{"type":"track","messageId":"{{{visitor}}}-{{{i}}}","anonymousId":"{{{visitor}}}","event":"{{{new string('e', 256)}}}","properties":{"text":"{{{new string('x', 32_000)}}}"},"context":{"page":"{{{new string('c', 500)}}}"}}""");
        var body = Encoding.UTF8.GetBytes($$"""{"batch":[{{string.Join(',', messages)}}],"writeKey":"shop"}""");
        Assert.Equal(200, (await shared.App.Post(body, Json, null, "/v1/import")).Status);
        Assert.Equal(16, await shared.Rows(visitor));
    }

    [Theory, EachStorage]
    public async Task The_pixel_takes_base64_of_either_alphabet_and_spelled_out_parameters(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var visitor = $"pixel-{Guid.NewGuid()}";
        var data = Convert.ToBase64String(
            Encoding.UTF8.GetBytes(
                $$$"""{"writeKey":"shop","userId":"{{{visitor}}}","event":"Open >>>???","properties":{"subject":"ÿÿÿ"}}"""));
        Assert.Contains('+', data);
        Assert.Contains('/', data);
        string[] queries =
        [
            "data=" + Uri.EscapeDataString(data), "data=" + data, "data=" + data.TrimEnd('='),
            "data=" + data.Replace('+', '-').Replace('/', '_').TrimEnd('='),
            $"writeKey=shop&userId={visitor}&event=Open%20%3E%3E%3E%3F%3F%3F&properties.subject=%C3%BF%C3%BF%C3%BF&context.page.title=x",
        ];
        foreach (var query in queries)
        {
            using var response = await shared.App.Http.GetAsync("/v1/pixel/track?" + query);
            Assert.Equal((200, "image/gif"),
                ((int)response.StatusCode, response.Content.Headers.ContentType?.MediaType));
        }
        var events =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
                .ToList();
        Assert.Equal(queries.Length, events.Count);
        Assert.All(events, e => Assert.Equal(("Open >>>???", "ÿÿÿ"),
            (e.GetProperty("action").GetString(),
                JsonSerializer.SerializeToElement(e.GetProperty("properties")).GetProperty("subject").GetString())));

        foreach (var (query, status, reason) in ((string, int, string)[])
                 [
                     ("data=%21", 400, "malformed_body"), ("data=", 400, "malformed_body"),
                     ("data=e30&data=e30", 422, "duplicate_field"), ("data=bm8", 400, "malformed_body"),
                     ("data=e30", 422, "missing_field"), ("writeKey=shop&event=x", 422, "missing_field"),
                     ("writeKey=shop&event=x&userId=%FF", 400, "malformed_query"),
                     ("writeKey=shop&userId=x&event=x&properties=%7B%7D&properties.a=1", 422, "duplicate_field"),
                     ("data=" + new string('A', 5_000), 400, "malformed_body"),
                 ])
        {
            var answer = await shared.App.Get("/v1/pixel/track?" + query);
            Assert.True((status, reason) == (answer.Status, answer.Reason),
                $"{answer.Status} {answer.Reason} for {query}");
        }
        Assert.Equal(queries.Length, await shared.Rows(visitor));
    }

    [Fact]
    public async Task What_sdks_measure_of_themselves_is_taken_and_not_kept()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var before = await shared.AllRows();
        Assert.Equal(200,
            (await shared.App.Post("""{"series":[{"type":"Counter"}]}"""u8.ToArray(), "text/plain", null,
                "/v1/m")).Status);
        Assert.Equal(before, await shared.AllRows());
    }

    private static HttpRequestMessage Request(Sdk sdk, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        if (sdk.Gzip)
        {
            using var packed = new MemoryStream();
            using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
            bytes = packed.ToArray();
        }
        var request = new HttpRequestMessage(HttpMethod.Post, sdk.Path) { Content = new ByteArrayContent(bytes) };
        if (sdk.ContentType is not null)
            request.Content.Headers.ContentType = MediaTypeHeaderValue.Parse(sdk.ContentType);
        if (sdk.Gzip) request.Content.Headers.ContentEncoding.Add("gzip");
        if (sdk.Basic)
            request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Key + ":")));
        if (sdk.Chunked) request.Headers.TransferEncodingChunked = true;
        return request;
    }
}
