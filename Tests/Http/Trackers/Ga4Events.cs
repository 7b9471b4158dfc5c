using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Google's Measurement Protocol, by the requests that its documentation shows.</summary>
[Collection<TrackerApp>]
public sealed class Ga4Events(TrackerApps apps)
{
    private const string Json = "application/json";

    private readonly string stream = "G-" + Guid.NewGuid().ToString("N");

    [Theory, EachStorage]
    public async Task Each_event_of_a_request_is_counted(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var micros = DateTimeOffset.UtcNow.AddDays(-2).ToUnixTimeMilliseconds() * 1_000 + 789;
        Assert.Equal((204, ""), await Collect(shared, """
            {
              "client_id": "x.17", "user_id": "ada", "timestamp_micros": "MICROS", "non_personalized_ads": false,
              "user_properties": {"tier": {"value": "gold"}},
              "events": [
                {"name": "page_view", "params": {"page_location": "https://shop.example/cheese?utm_source=mail",
                  "page_title": "Käse", "page_referrer": "https://www.google.com/", "language": "de",
                  "screen_resolution": "1920x1080", "session_id": "123", "engagement_time_msec": 100}},
                {"name": "purchase", "params": {"currency": "EUR", "value": 9.50, "transaction_id": "t-1",
                  "items": [{"item_id": "a"}]}}
              ]
            }
            """.Replace("MICROS", $"{micros}")));
        var events = (await shared.Events(stream)).ToDictionary(one => one.Action);
        Assert.Equal(["purchase", "view"], events.Keys.Order());
        Assert.All(events.Values, one => Assert.Equal(("x.17", "ada", "gold"), (one.Fingerprint, one["user_id"],
            JsonDocument.Parse(one["user_properties"]!).RootElement.GetProperty("tier").GetProperty("value")
                .GetString())));
        Assert.Equal(("/cheese", "mail", "Käse", "www.google.com", "de", "1536"), (events["view"]["path"],
            events["view"]["utm_source"], events["view"]["title"], events["view"]["referrer"],
            events["view"]["language"], events["view"]["screen"]));
        Assert.Equal(("123", "100", null), (events["view"]["session_id"], events["view"]["engagement_time_msec"],
            events["view"]["page_title"]));
        Assert.Equal(("EUR", "9.50", """[{"item_id": "a"}]"""),
            (events["purchase"]["currency"], events["purchase"]["value"], events["purchase"]["items"]));
        var page = await shared.App.Get("/api/fingerprints/x.17/events");
        Assert.Contains(DateTime.UnixEpoch.AddTicks(micros * 10).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff"), page.Body.GetRawText());
    }

    [Fact]
    public async Task What_is_sent_twice_counts_twice_and_an_app_has_its_own_names()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        const string body = """{"app_instance_id":"i-1","events":[{"name":"level_up","params":{"level":5}}]}""";
        for (var i = 0; i < 2; i++)
            Assert.Equal(204, (await shared.App.Track($"/mp/collect?firebase_app_id={stream}", body, Json)).Status);
        var events = await shared.Events(stream);
        Assert.Equal([("level_up", "i-1", "5"), ("level_up", "i-1", "5")],
            events.Select(one => (one.Action, one.Fingerprint, one["level"]!)));
    }

    [Fact]
    public async Task Good_events_of_a_request_with_refused_ones_count()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var (status, body) = await Collect(shared, """
            {"client_id":"c","events":[{"name":"a"},{},17,{"name":"b","params":{"x":"\ud83d"}},{"name":"c\u0000"},
            {"name":"old","timestamp_micros":"1000000000000000"},{"name":"no","timestamp_micros":"soon"}]}
            """);
        Assert.Equal(400, status);
        Assert.Contains("\"reason\":\"messages_refused\"", body);
        Assert.Equal([(1, "missing_field"), (2, "malformed_body"), (4, "invalid_characters"), (6, "invalid_timestamp")],
            JsonDocument.Parse(body).RootElement.GetProperty("batch").GetProperty("refused").EnumerateArray()
                .Select(one => (one.GetProperty("index").GetInt32(), one.GetProperty("reason").GetString()!)));
        Assert.Equal(["a", "b", "old"], (await shared.Events(stream)).Select(one => one.Action).Order());
        // one out of range counts on arrival, and says so
        Assert.NotNull((await shared.Events(stream)).Single(one => one.Action == "old")["$timestamp"]);
    }

    [Fact]
    public async Task A_page_becomes_a_path_whatever_happens_on_it_and_no_password_is_kept()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        const string page = """
            {"page_location":"https://ada:secret@shop.example/cheese?card=secret&utm_source=mail","page_title":"Brie",
            "page_referrer":"https://ada:secret@news.example/?card=secret","screen_resolution":"1920x1080"}
            """;
        Assert.Equal((204, ""), await Collect(shared, $$"""
            {"client_id":"c","events":[{"name":"page_view","params":{{page}}},{"name":"purchase","params":{{page}}}]}
            """));
        var events = await shared.Events(stream);
        Assert.Equal(["purchase", "view"], events.Select(one => one.Action).Order());
        foreach (var one in events)
        {
            Assert.Equal(("/cheese", "mail", "Brie", "news.example", "1536", null), (one["path"], one["utm_source"],
                one["title"], one["referrer"], one["screen"], one["page_location"]));
            Assert.DoesNotContain("secret", one.Properties);
        }
    }

    [Fact]
    public async Task A_time_may_be_a_float()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var micros = DateTimeOffset.UtcNow.AddDays(-2).ToUnixTimeMilliseconds() * 1_000 + 781;
        var exponential = $"{micros + 1}".Insert(1, ".") + "e15";
        Assert.Equal((204, ""), await Collect(shared, $$"""
            {"client_id":"{{stream}}","events":[{"name":"a","timestamp_micros":{{micros}}.0},
            {"name":"b","timestamp_micros":{{exponential}}},{"name":"c","timestamp_micros":"{{micros + 2}}.25"}]}
            """));
        Assert.All(await shared.Events(stream), one => Assert.Null(one["$timestamp"]));
        var page = (await shared.App.Get($"/api/fingerprints/{stream}/events")).Body.GetRawText();
        for (var i = 0; i < 3; i++)
            Assert.Contains(
                DateTime.UnixEpoch.AddTicks((micros + i) * 10).ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff"), page);
    }

    [Fact]
    public async Task A_time_in_another_unit_counts_on_arrival()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        string[] times = ["1", "0", "-5", "1700000000", "1700000000.5", "1700000000000", "1.7e15", "1e30"];
        var events = string.Join(',', times.Select(time => $$"""{"name":"a","timestamp_micros":{{time}}}"""));
        Assert.Equal((204, ""), await Collect(shared, $$"""{"client_id":"c","events":[{{events}}]}"""));
        Assert.Equal(times.Order(StringComparer.Ordinal), (await shared.Events(stream))
            .Select(one => one["$timestamp"]!).Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData("soon")]
    [InlineData("2026-01-02T10:30:00Z")]
    public async Task A_time_that_is_no_number_is_refused(string time)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var answer = await Collect(shared,
            $$"""{"client_id":"c","events":[{"name":"a","timestamp_micros":"{{time}}"}]}""");
        Assert.Equal(400, answer.Status);
        Assert.Contains("\"reason\":\"invalid_timestamp\"", answer.Body);
        Assert.Contains("microseconds since 1970", answer.Body);
        Assert.Empty(await shared.Events(stream));
    }

    [Fact]
    public async Task The_validation_says_what_is_wrong_and_records_nothing()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        foreach (var good in (string[])[
            """{"client_id":"c","events":[{"name":"a"}]}""",
            """{"events":[{"name":"a"}]}"""]) // the server gives the fingerprint
            Assert.Equal((200, """{"validationMessages":[]}"""), await Validate(shared, good));
        var (status, body) = await Validate(shared, """
            {"client_id":"c","events":[{"name":"a"},{"params":{}},17,{"name":"c\u0000"},
            {"name":"b","timestamp_micros":"soon"},{"name":"d","params":{"x":"LARGE"}}]}
            """.Replace("LARGE", new string('x', 33_000)));
        Assert.Equal(200, status);
        Assert.Equal([("events[1].name", "missing_field"), ("events[2]", "malformed_body"),
            ("events[3].name", "invalid_characters"), ("events[4].timestamp_micros", "invalid_timestamp"),
            ("events[5].params", "too_long")], Messages(body));
        Assert.Equal([("timestamp_micros", "invalid_timestamp")], Messages((await Validate(shared,
            """{"client_id":"c","timestamp_micros":"soon","events":[{"name":"a"},{"name":"b"}]}""")).Body));
        Assert.Equal([("", "malformed_body")], Messages((await Validate(shared, "{")).Body));
        Assert.Equal([("events", "missing_field")], Messages((await Validate(shared, "{}")).Body));
        Assert.Empty(await shared.Events(stream));
    }

    [Fact]
    public async Task The_validation_judges_by_keys_first_and_then_as_if_it_recorded()
    {
        const string bound = "bound-0123456789abcdef", free = "free-0123456789abcdef";
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        await using var app = await AppProcess.Start(database,
            new() { ["APP_WRITE_KEYS"] = $"{bound};products=a,b {free}" });
        const string named = """{"client_id":"c","events":[{"name":"one"},{"name":"two"}]}""";
        const string nameless = """{"events":[{"name":"one"},{"name":"two"}]}""";
        foreach (var path in (string[])["/mp/collect", "/debug/mp/collect"])
        {
            (await app.Track($"{path}?measurement_id=a", "{", Json)).AssertRefused(401, "missing_key");
            (await app.Track($"{path}?measurement_id=a&api_secret=x{bound}", "{", Json))
                .AssertRefused(401, "unknown_key");
        }
        Assert.Equal([("measurement_id", "product_not_allowed")], await MessagesFor(named, "c"));
        Assert.Contains("product_not_allowed",
            (await app.Track($"/mp/collect?measurement_id=c&api_secret={bound}", named, Json)).Body);
        Assert.Equal([("client_id", "missing_field")], await MessagesFor(nameless, "a"));
        Assert.Empty(await MessagesFor(named, "a"));
        // A key that may send history does not make seconds a time of 1970.
        Assert.Equal((204, ""), await app.Track($"/mp/collect?measurement_id=old&api_secret={free}",
            """{"client_id":"c","events":[{"name":"a","timestamp_micros":1700000000}]}""", Json));
        Assert.Equal("1700000000", Assert.Single(await new Shared(app, database).Events("old"))["$timestamp"]);
        Assert.Empty(await new Shared(app, database).Events("a"));

        async Task<IEnumerable<(string, string)>> MessagesFor(string body, string product) => Messages((await app.Track(
            $"/debug/mp/collect?measurement_id={product}&api_secret={bound}", body, Json)).Body);
    }

    [Fact]
    public async Task A_bot_is_told_that_it_is_ignored()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        await using var app = await AppProcess.Start(database, flags: ["-bots=ignore"]);
        Assert.Equal((200, """{"ignored":"bot"}"""), await app.Track("/mp/collect?measurement_id=a",
            """{"client_id":"c","events":[{"name":"a"}]}""", Json, headers: [("User-Agent", "Googlebot/2.1")]));
    }

    [Theory]
    [InlineData(400, "malformed_body", "")]
    [InlineData(422, "missing_field", "[]")]
    [InlineData(422, "missing_field", """{"client_id":"c","events":{}}""")]
    [InlineData(400, "malformed_body", """{"client_id":"c","client_id":"d","events":[]}""")]
    [InlineData(400, "too_long", """{"client_id":"c","events":[{"name":"a","params":{"x":"LARGE"}}]}""")]
    [InlineData(400, "missing_field", """{"client_id":{},"user_id":[],"events":[{"name":[]}]}""")]
    public async Task What_cannot_be_read_is_refused_and_nothing_recorded(int status, string reason, string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var answer = await Collect(shared, body.Replace("LARGE", new string('x', 33_000)));
        Assert.True(answer.Status == status && answer.Body.Contains($"\"reason\":\"{reason}\""),
            $"{answer.Status} {answer.Body}");
        Assert.Empty(await shared.Events(stream));
    }

    [Fact]
    public async Task Too_much_is_refused_whole()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var many = string.Join(',', Enumerable.Repeat("""{"name":"a"}""", 5_001));
        (await Collect(shared, $$"""{"client_id":"c","events":[{{many}}]}""")).AssertRefused(413, "body_too_large");
        Assert.Equal([("events", "body_too_large")],
            Messages((await Validate(shared, $$"""{"client_id":"c","events":[{{many}}]}""")).Body));
        var large = $"[\"{new string('x', 4 << 20)}\"]";
        (await Collect(shared, large)).AssertRefused(413, "body_too_large");
        (await Validate(shared, large)).AssertRefused(413, "body_too_large");
        Assert.Empty(await shared.Events(stream));
    }

    [Theory]
    [InlineData("/mp/collect")]
    [InlineData("/debug/mp/collect")]
    public async Task A_form_is_refused(string path)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await shared.App.Track($"{path}?measurement_id={stream}", """{"client_id":"c","events":[{"name":"a"}]}""",
            "application/x-www-form-urlencoded")).AssertRefused(415, "unsupported_media_type");
        Assert.Empty(await shared.Events(stream));
    }

    private static IEnumerable<(string Path, string Code)> Messages(string body) =>
        JsonDocument.Parse(body).RootElement.GetProperty("validationMessages").EnumerateArray().Select(one =>
            (one.GetProperty("fieldPath").GetString()!, one.GetProperty("validationCode").GetString()!));

    private Task<(int Status, string Body)> Collect(Shared shared, string body) =>
        shared.App.Track($"/mp/collect?measurement_id={stream}&api_secret=x", body, Json);

    private Task<(int Status, string Body)> Validate(Shared shared, string body) =>
        shared.App.Track($"/debug/mp/collect?measurement_id={stream}", body, Json);
}
