using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Plausible's API, as its documentation has it. Its scripts run in a browser elsewhere.</summary>
[Collection<TrackerApp>]
public sealed class PlausibleEvents(TrackerApps apps)
{
    private readonly string site = $"site-{Guid.NewGuid():N}.example";

    [Theory, EachStorage]
    public async Task A_page_view_has_the_names_of_the_script_tag_whether_its_fields_are_short_or_long(
        StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (type, body) in ((string?, string)[])
                 [
                     ("text/plain", """{"n":"pageview","u":"https://SITE/a%20b/?utm_source=mail&utm_x=%C3%A9&q=1#top","d":"SITE","r":"https://www.google.com/search?q=x","w":1470,"v":36,"p":null}"""),
                     ("application/json", """{"name":"pageview","url":"https://SITE/a%20b/?utm_source=mail&utm_x=%C3%A9&q=1#top","domain":"SITE","referrer":"https://www.google.com/","screen_width":1470}"""),
                     (null, """{"n":"pageview","u":"https://SITE/a%20b/?utm_source=mail&utm_x=%C3%A9","d":"SITE","r":"www.google.com","w":"1470"}"""),
                 ])
            Assert.Equal((202, "ok"), await Post(shared, body, type));
        var events = await shared.Events(site);
        Assert.Equal(3, events.Count);
        Assert.Single(events.Select(one => one.Fingerprint).Distinct());
        Assert.All(events, one => Assert.Equal(("view", "/a%20b/", "mail", "é", "www.google.com", "1024"),
            (one.Action, one["path"], one["utm_source"], one["utm_x"], one["referrer"], one["screen"])));
        Assert.All(events, one => Assert.DoesNotContain("top", one.Properties));
    }

    [Theory, EachStorage]
    public async Task A_goal_keeps_its_name_and_what_it_has(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var body in (string[])
                 [
                     """{"n":"Outbound Link: Click","u":"https://SITE/x","d":"SITE","p":{"url":"https://other.example/","n":1.50,"on":true,"half":"\ud83d"}}""",
                     """{"n":"Purchase","u":"https://SITE/","d":"SITE","r":"https://SITE/x","p":"{\"plan\":\"pro\",\"path\":\"/own\"}","$":{"currency":"EUR","amount":9.90},"i":false}""",
                     """{"n":"engagement","u":"https://SITE/#/page","h":1,"d":"SITE","sd":57,"e":3100}""",
                     """{"name":"Kauf – ✓","url":"app://shop","domain":"SITE","props":{},"meta":{"a":1},"revenue":"{\"currency\":\"USD\",\"amount\":\"3\"}"}""",
                 ])
            Assert.Equal((202, "ok"), await Post(shared, body));
        var events = (await shared.Events(site)).ToDictionary(one => one.Action, one => one);
        Assert.Equal(("https://other.example/", "1.50", "True", "/x"),
            (events["Outbound Link: Click"]["url"], events["Outbound Link: Click"]["n"],
                events["Outbound Link: Click"]["on"], events["Outbound Link: Click"]["path"]));
        Assert.Equal(("pro", "/own", "9.90", "False", null),
            (events["Purchase"]["plan"], events["Purchase"]["path"],
                JsonAt(events["Purchase"]["revenue"], "amount"), events["Purchase"]["interactive"],
                events["Purchase"]["referrer"]));
        Assert.Equal(("57", "3100", "/#/page"),
            (events["engagement"]["sd"], events["engagement"]["e"], events["engagement"]["path"]));
        Assert.Equal(("/", "3"), (events["Kauf – ✓"]["path"], JsonAt(events["Kauf – ✓"]["revenue"], "amount")));
    }

    [Theory, EachStorage]
    public async Task What_is_sent_twice_counts_twice_and_another_visitor_is_another_fingerprint(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string view = """{"n":"pageview","u":"https://SITE/","d":"SITE"}""";
        for (var i = 0; i < 2; i++) Assert.Equal((202, "ok"), await Post(shared, view));
        Assert.Equal((202, "ok"), await Post(shared, view, address: "203.0.113.2"));
        Assert.Equal([1, 2],
            (await shared.Events(site)).GroupBy(one => one.Fingerprint).Select(one => one.Count()).Order());
    }

    [Theory]
    [InlineData(400, "malformed_body", null, "")]
    [InlineData(400, "malformed_body", null, "nonsense")]
    [InlineData(400, "malformed_body", null, "[]")]
    [InlineData(400, "malformed_body", null, "{} {}")]
    [InlineData(400, "malformed_body", null, """{"n":"a","n":"b","d":"SITE"}""")]
    [InlineData(400, "malformed_body", null, """{"n":"a","d":"SITE","p":{"x":1,"\u0078":2}}""")]
    [InlineData(400, "malformed_body", null, """{"\ud800":1}""")]
    [InlineData(400, "malformed_body", null, """{"n":"a","d":"SITE","p":DEEP}""")]
    [InlineData(422, "missing_field", "product", """{"n":"a"}""")]
    [InlineData(422, "missing_field", "product", """{"n":"a","d":""}""")]
    [InlineData(422, "missing_field", "action", """{"d":"SITE"}""")]
    [InlineData(422, "missing_field", "action", """{"n":{},"d":"SITE"}""")]
    [InlineData(422, "invalid_characters", "product", """{"n":"a","d":"\ud800"}""")]
    [InlineData(422, "invalid_characters", "action", """{"n":"a\u0000","d":"SITE"}""")]
    [InlineData(422, "invalid_properties", "properties", """{"n":"a","d":"SITE","p":[1]}""")]
    [InlineData(422, "invalid_properties", "properties", """{"n":"a","d":"SITE","p":"{broken"}""")]
    [InlineData(422, "invalid_properties", "properties", """{"n":"a","d":"SITE","p":{"x":1e99999}}""")]
    [InlineData(422, "too_long", "properties", """{"n":"a","d":"SITE","p":{"x":"LARGE"}}""")]
    [InlineData(422, "too_long", "action", """{"n":"LONG","d":"SITE"}""")]
    [InlineData(413, "body_too_large", null, """{"n":"a","d":"SITE","p":{"x":"LARGELARGE"}}""")]
    public async Task What_cannot_be_read_is_refused_and_nothing_recorded(int status, string reason, string? field,
        string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await Post(shared, body.Replace("DEEP", new string('[', 70) + new string(']', 70))
            .Replace("LARGE", new string('x', 33_000)).Replace("LONG", new string('x', 257))))
            .AssertRefused(status, reason, field);
        Assert.Empty(await shared.Events(site));
    }

    [Fact]
    public async Task Neither_another_content_type_nor_bytes_that_are_no_text_are_taken()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await Post(shared, "n=pageview&d=SITE", "application/x-www-form-urlencoded"))
            .AssertRefused(415, "unsupported_media_type");
        (await Post(shared, """{"n":"a","d":"SITE"}""", "application/json; charset=utf-16"))
            .AssertRefused(415, "unsupported_media_type");
        (await shared.App.Post([.. """{"n":"a","d":"x"""u8, 0xff, .. "\"}"u8], "text/plain", path: "/api/event"))
            .AssertRefused(400, "malformed_body");
        (await shared.App.Get("/api/event")).AssertRefused(405, "method_not_allowed");
    }

    private Task<(int Status, string Body)> Post(Shared shared, string body, string? contentType = "text/plain",
        string address = "203.0.113.1") =>
        shared.App.Track("/api/event", body.Replace("SITE", site), contentType, address);

    private static string JsonAt(string? json, string name) =>
        System.Text.Json.JsonDocument.Parse(json!).RootElement.GetProperty(name).ToString();
}
