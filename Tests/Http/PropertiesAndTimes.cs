using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What an event may carry in addition to what is counted.</summary>
[Collection<SharedApp>]
public sealed class PropertiesAndTimes(SharedApps apps)
{
    private readonly string visitor = "carrying-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Properties_are_kept_as_they_were_written_and_compared_as_values(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string odd = """{ "a" : 1.0,"b":[1,{"c":null}], "d":"\u00e9 é \ud83d\ude00" }""";
        const string same = """{"d":"é \u00e9 😀","b":[1e0,{"c":null}],"a":1}""";
        Assert.Equal(200, (await shared.App.PostJson(Item($"\"properties\":{odd}"))).Status);
        foreach (var properties in (string[])[odd, same])
        {
            Assert.True(
                (await shared.App.PostForm(
                    $"action=view&product=k8s&fingerprint={visitor}&id=1&properties={Uri.EscapeDataString(properties)}")).Duplicate);
            Assert.True((await shared.App.PostJson(Item($"\"properties\":{Quoted(properties)}"))).Duplicate);
            Assert.Equal(1, (await shared.App.PostBatch($"[{Item($"\"properties\":{properties}")}]")).Batch.Repeated);
        }
        foreach (var other in (string[])["{}", "null", odd.Replace("1.0", "2"), same.Replace("1e0", "1e1"),
            same.Replace("null", "0"), """{"a":1}"""])
            (await shared.App.PostJson(Item($"\"properties\":{other}"))).AssertRefused(409, "id_conflict", "id");
        var page = await shared.App.Http.GetStringAsync(Requests.Path(visitor) + "/events");
        Assert.Contains($"\"properties\":{odd}", page);
        Assert.Equal([odd], await Stored(shared));
    }

    // Postgres's jsonb rejects U+0000 and half a surrogate pair, and DuckDB a repeated key.
    [Theory, EachStorage]
    public async Task What_no_database_takes_in_properties_is_replaced_at_every_door(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string sent =
            """{"cut \ud83d":"\ud83d","nul\u0000":"\u0000\\u0000","low":"\ude00\ud83d\ude00","twice":{"a":1,"\u0061":[2,{"b":1,"b":2}]}}""";
        const string kept =
            """{"cut \ufffd":"\ufffd","nul\ufffd":"\ufffd\\u0000","low":"\ufffd\ud83d\ude00","twice":{"a":[2,{"b":2}]}}""";
        var form = $"action=view&product=k8s&fingerprint={visitor}&properties={Uri.EscapeDataString(sent)}";
        Assert.Equal(200, (await shared.App.PostForm(form)).Status);
        Assert.Equal(200,
            (await shared.App.PostJson(Item($"\"properties\":{sent}").Replace("\"id\":\"1\"", "\"id\":\"2\""))).Status);
        Assert.Equal(200,
            (await shared.App.PostJson(
                Item($"\"properties\":{JsonSerializer.Serialize(sent)}").Replace("\"id\":\"1\"",
                    "\"id\":\"3\""))).Status);
        Assert.Equal(1, (await shared.App.PostBatch($"[{Item($"\"properties\":{sent}")}]")).Batch.Recorded);
        Assert.Equal("image/gif", (await shared.App.Get($"/api/pixel.gif?{form}")).ContentType);
        var message =
            $$"""{"writeKey":"k8s","type":"track","event":"view","anonymousId":"{{visitor}}","properties":{{sent}}}""";
        Assert.Equal(200,
            (await shared.App.Post(Encoding.UTF8.GetBytes(message), "application/json", null, "/v1/track")).Status);
        Assert.Equal(200,
            (await shared.App.Post(Encoding.UTF8.GetBytes($$"""{"batch":[{{message}}],"writeKey":"k8s"}"""),
                "application/json", null, "/v1/batch")).Status);

        var stored = await Stored(shared);
        Assert.Equal(7, stored.Count);
        using var expected = JsonDocument.Parse(kept);
        Assert.All(stored,
            text => Assert.True(JsonElement.DeepEquals(expected.RootElement, JsonElement.Parse(text)), text));
        if (storage == StorageKind.Postgres)
            Assert.Equal([7],
                await shared.Database.Query(
                    $"select count(properties::jsonb) from events where fingerprint = '{visitor}'",
                    row => row.GetInt64(0)));
    }

    [Theory, EachStorage]
    public async Task Properties_that_are_no_object_too_large_or_too_deep_are_refused_at_every_door_alike(
        StorageKind storage)
    {
        var shared = await apps.On(storage);
        string Large(int bytes) => $"{{\"a\":\"{new string('é', (bytes - 8) / 2)}\"}}";
        string Deep(int levels) => string.Concat(Enumerable.Repeat("{\"a\":", levels)) + "1" + new string('}', levels);
        foreach (var (properties, reason) in ((string, string)[])
                 [("[]", "invalid_properties"), ("1", "invalid_properties"), ("true", "invalid_properties"),
                     (Large(32 * 1024 + 2), "too_long"), (Deep(65), "invalid_properties"),
                  ("""{"n":1e1001}""", "invalid_properties"), ("""{"n":-1e-99999999999}""", "invalid_properties"),
                  ($$"""{"n":{{new string('9', 1_001)}}}""", "invalid_properties")])
        {
            (await shared.App.PostJson(Item($"\"properties\":{properties}"))).AssertRefused(422, reason, "properties");
            (await shared.App.PostJson(Item($"\"properties\":{Quoted(properties)}"))).AssertRefused(422, reason,
                "properties");
            (await shared.App.Post(
                Encoding.UTF8.GetBytes(
                    $"action=view&product=k8s&fingerprint={visitor}&properties={Uri.EscapeDataString(properties)}"),
                "application/x-www-form-urlencoded")).AssertRefused(properties.Length > 10_000 ? 413 : 422,
                    properties.Length > 10_000 ? "body_too_large" : reason,
                    properties.Length > 10_000 ? null : "properties");
            Assert.Equal(reason,
                Assert.Single(
                    (await shared.App.PostBatch($"[{Item($"\"properties\":{properties}")}]")).Batch.Refused).Reason);
        }
        foreach (var broken in (string[])["{", "{}{}", "{'a':1}", "x", new string('[', 2_000),
            "{\"a\":" + new string('[', 100) + new string(']', 100) + "}"])
        {
            (await shared.App.PostForm(
                $"action=view&product=k8s&fingerprint={visitor}&properties={Uri.EscapeDataString(broken)}"))
                .AssertRefused(422, "invalid_properties", "properties");
            (await shared.App.PostJson(Item($"\"properties\":{Quoted(broken)}"))).AssertRefused(422,
                "invalid_properties", "properties");
        }
        Assert.Equal(0, await shared.Rows(visitor));
        foreach (var (id, properties) in ((int, string)[])[(1, Large(32 * 1024)), (2, Deep(64)),
            (3, """{"n":1e1000,"m":-1E-1000}"""), (4, $$"""{"n":{{new string('9', 1_000)}}}""")])
            Assert.Equal(200,
                (await shared.App.PostJson(
                    Item($"\"properties\":{properties}").Replace("\"id\":\"1\"", $"\"id\":\"{id}\""))).Status);
        if (storage == StorageKind.Postgres)
            Assert.Equal([4],
                await shared.Database.Query(
                    $"select count(properties::jsonb) from events where fingerprint = '{visitor}'",
                    row => row.GetInt64(0)));
    }

    // A load does not read long properties, so such a repeat is compared with the log itself.
    [Theory, EachStorage]
    public async Task Long_properties_are_compared_after_a_load_too(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, apps.Server);
        var properties = $$"""{"text":"{{new string('x', 20_000)}}","a":1}""";
        await using (var app = await AppProcess.Start(database))
        {
            Assert.Equal(200, (await app.PostJson(Item($"\"properties\":{properties}"))).Status);
            Assert.Equal(0, await app.Terminate());
        }
        await using (var app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn()))
        {
            (await app.PostJson(Item("\"properties\":null"))).AssertRefused(409, "id_conflict", "id");
            (await app.PostJson(Item($"\"properties\":{properties.Replace("xx\"", "xy\"")}"))).AssertRefused(409,
                "id_conflict", "id");
            Assert.True((await app.PostJson(Item($"\"properties\":{properties}"))).Duplicate);
            Assert.Equal(0, await app.Terminate());
        }
        await AppProcess.AssertVerifies(database);
    }

    [Theory, EachStorage]
    public async Task A_timestamp_is_when_it_was_done_within_limits(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var now = DateTimeOffset.UtcNow;
        string At(DateTimeOffset time, string format) =>
            $"\"timestamp\":\"{time.ToString(format, CultureInfo.InvariantCulture)}\"";
        var yesterday = now.AddDays(-1);
        Assert.Equal(200,
            (await shared.App.PostJson(Item(At(yesterday, "yyyy-MM-dd'T'HH:mm:ss.fffffff'89Z'")))).Status);
        // A repeat with another time is still the same event.
        Assert.True(
            (await shared.App.PostJson(
                Item(At(yesterday.ToOffset(TimeSpan.FromHours(2)), "yyyy-MM-dd't'HH:mm:sszzz")))).Duplicate);
        var occurred =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0].GetProperty(
                "occurred").GetDateTime();
        Assert.Equal(yesterday.UtcTicks / 10, occurred.Ticks / 10);

        foreach (var time in (DateTimeOffset[])[now.AddDays(-31), now.AddMinutes(15), DateTimeOffset.MinValue,
            DateTimeOffset.MaxValue])
            (await shared.App.PostJson(Item(At(time, "yyyy-MM-dd'T'HH:mm:ss'Z'")))).AssertRefused(422, "out_of_range",
                "timestamp");
        foreach (var odd in (string[])["now", "2026-01-02", "2026-01-02T10:30:00", "2026-13-02T10:30:00Z",
            "2026-01-02T25:30:00Z", "2026-01-02T10:30:00.Z", "2026-01-02T10:30:0012Z",
                     "2026-01-02T10:30:00Z\\n", "٢026-01-02T10:30:00Z", "20260102", "2026", "1", "1e99"])
            (await shared.App.PostJson(Item($"\"timestamp\":\"{odd}\""))).AssertRefused(422, "invalid_timestamp",
                "timestamp");
        Assert.Equal(1, await shared.Rows(visitor));
    }

    // What strftime's %z, date, unencoded forms and clients that count seconds send, all for the same moment.
    [Theory, EachStorage]
    public async Task A_timestamp_may_be_written_as_programs_write_it(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var time = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() - 3_600);
        string At(string format, int hours = 0) =>
            time.ToOffset(TimeSpan.FromHours(hours)).ToString(format, CultureInfo.InvariantCulture);
        string[] written =
        [
            At("yyyy-MM-dd'T'HH:mm:ss'+0000'"), At("yyyy-MM-dd HH:mm:ss'Z'"), At("yyyy-MM-dd HH:mm:ss '+0000'"),
            At("yyyy-MM-dd HH:mm:ss 'UTC'"), At("yyyy-MM-dd'T'HH:mm:ss',000Z'"),
            At("yyyy-MM-dd'T'HH:mm:ss'+03:00'", 3), At("yyyy-MM-dd'T'HH:mm:ss' 03:00'", 3),
            At("yyyy-MM-dd'T'HH:mm:ss' 0300'", 3), At("yyyy-MM-dd'T'HH:mm:ss'-0800'", -8),
            $"{time.ToUnixTimeSeconds()}", $"{time.ToUnixTimeMilliseconds()}", $"{time.ToUnixTimeSeconds()}.000",
        ];
        foreach (var text in written)
        {
            Assert.Equal(200,
                (await shared.App.PostForm(
                    $"action=form&product=k8s&fingerprint={visitor}&timestamp={Uri.EscapeDataString(text)}")).Status);
            // the plus has become a space
            Assert.Equal(200,
                (await shared.App.PostForm($"action=plain&product=k8s&fingerprint={visitor}&timestamp={text}")).Status);
            Assert.Equal(200,
                (await shared.App.PostJson(
                    $$"""{"action":"json","product":"k8s","fingerprint":"{{visitor}}","timestamp":"{{text}}"}""")).Status);
            Assert.Equal(200,
                (await shared.App.Post(
                    Encoding.UTF8.GetBytes(
                        $$"""{"writeKey":"k8s","event":"sdk","anonymousId":"{{visitor}}","timestamp":"{{text}}"}"""),
                "application/json", null, "/v1/track")).Status);
        }
        Assert.Equal(2, (await shared.App.PostBatch($$"""
            [{"action":"number","product":"k8s","fingerprint":"{{visitor}}","timestamp":{{time.ToUnixTimeSeconds()}}},
             {"action":"number","product":"k8s","fingerprint":"{{visitor}}","timestamp":{{time.ToUnixTimeMilliseconds()}}}]
            """)).Batch.Recorded);
        var events =
            (await shared.App.Get(Requests.Path(visitor) + "/events?limit=1000")).Body.GetProperty("events")
                .EnumerateArray().ToList();
        Assert.Equal(4 * written.Length + 2, events.Count);
        Assert.All(events, e => Assert.Equal(time.UtcDateTime, e.GetProperty("occurred").GetDateTime()));

        foreach (var zoneless in (string[])["2026-01-02T10:30:00", "2026-01-02 10:30", "2026-01-02"])
        {
            var refused =
                await shared.App.PostForm($"action=view&product=k8s&fingerprint={visitor}&timestamp={zoneless}");
            refused.AssertRefused(422, "invalid_timestamp", "timestamp");
            Assert.Contains("zone is missing", refused.Text("detail"));
        }
    }

    // Nobody corrects a visitor's clock, and a page does not send its event again.
    [Theory, EachStorage]
    public async Task What_a_page_sends_with_a_time_out_of_range_counts_when_it_comes(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var before = DateTime.UtcNow.AddSeconds(-1);
        foreach (var time in (string[])["2001-02-03T04:05:06Z", "2099-01-01T00:00:00+02:00"])
            Assert.Equal(200,
                (await shared.App.Post(
                    Encoding.UTF8.GetBytes(
                        Item($"\"timestamp\":\"{time}\",\"properties\":{{\"a\":1}}").Replace("\"1\"", $"\"{time}\"")),
                        "text/plain")).Status);
        var events =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
                .ToList();
        Assert.Equal(["""{"a":1,"$timestamp":"2001-02-03T04:05:06Z"}""",
            """{"a":1,"$timestamp":"2099-01-01T00:00:00+02:00"}"""],
            events.Select(e => e.GetProperty("properties").GetRawText()));
        Assert.All(events, e => Assert.InRange(e.GetProperty("occurred").GetDateTime(), before, DateTime.UtcNow));
        // Sent again with a time in range or without one, it is still the same event.
        Assert.True(
            (await shared.App.PostJson(
                Item("\"properties\":{\"a\":1}").Replace("\"1\"", "\"2001-02-03T04:05:06Z\""))).Duplicate);
        (await shared.App.Post(Encoding.UTF8.GetBytes(Item("\"timestamp\":\"yesterday\"")),
            "text/plain")).AssertRefused(422, "invalid_timestamp", "timestamp");
    }

    [Theory, EachStorage]
    public async Task So_does_what_a_page_sends_in_a_batch(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var before = DateTime.UtcNow.AddSeconds(-1);
        var batch = $"[{Item("\"timestamp\":\"2001-02-03T04:05:06Z\"")}]";
        Assert.Equal("out_of_range", Assert.Single((await shared.App.PostBatch(batch)).Batch.Refused).Reason);
        Assert.Equal(1, (await shared.App.PostBatch(batch, contentType: "text/plain")).Batch.Recorded);
        Assert.Equal(1, (await shared.App.PostBatch(batch, contentType: "text/plain")).Batch.Repeated);
        var only = (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0];
        Assert.Equal("""{"$timestamp":"2001-02-03T04:05:06Z"}""", only.GetProperty("properties").GetRawText());
        Assert.InRange(only.GetProperty("occurred").GetDateTime(), before, DateTime.UtcNow);
    }

    // The log's exports name the field like this.
    [Theory, EachStorage]
    public async Task Occurred_is_read_as_the_timestamp(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var old = $$"""{"fingerprint":"{{visitor}}","sequence":7,"id":"x","action":"view","product":"k8s","created":"2019-05-06T00:00:00Z","occurred":"2019-05-05T00:00:00Z"}""";
        Assert.Equal("out_of_range",
            Assert.Single((await shared.App.PostBatch(old, contentType: "application/x-ndjson")).Batch.Refused).Reason);
        Assert.Equal(1,
            (await shared.App.Post(Encoding.UTF8.GetBytes(old), "application/x-ndjson", null,
                Requests.BatchPath + "?history=true")).Batch.Recorded);
        (await shared.App.PostForm(
            $"action=view&product=k8s&fingerprint={visitor}&occurred=2019-05-05T00:00:00Z")).AssertRefused(422,
                "out_of_range", "timestamp");
        Assert.Equal(new DateTime(2019, 5, 5),
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0].GetProperty(
                "occurred").GetDateTime());
    }

    private static string Quoted(string text) => JsonSerializer.Serialize(text, Unescaped);

    private static readonly JsonSerializerOptions Unescaped =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private Task<List<string>> Stored(Shared shared) =>
        shared.Database.Query($"select properties from events where fingerprint = '{visitor}'",
            row => row.GetString(0));

    private string Item(string more) =>
        $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","id":"1",{{more}}}""";
}
