using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>GoatCounter: what its script asks for, and its API, as its documentation has them.</summary>
[Collection<TrackerApp>]
public sealed class GoatCounterHits(TrackerApps apps)
{
    private const string View =
        "p=%2Fcheese%3Futm_source%3Dmail&r=https%3A%2F%2Fwww.google.com%2F&t=K%C3%A4se&s=1920%2C1080%2C1.5&q=%3Futm_campaign%3Dmay&rnd=k3x9a";

    private readonly string site = $"site-{Guid.NewGuid():N}.example";

    [Theory, EachStorage]
    public async Task Its_image_and_its_beacon_are_counted_after_the_commit(StorageKind storage)
    {
        var shared = await apps.On(storage);
        // The page's site by the image's Referer or the beacon's Origin, by the address in the tag, and with its query
        // appended to that by the script.
        Assert.Equal((200, "GIF"), await Ask(shared, HttpMethod.Get, "/count?" + View, ("Referer", $"https://{site}/")));
        Assert.Equal((200, "GIF"), await Ask(shared, HttpMethod.Post, "/count?" + View, ("Origin", $"https://{site}")));
        Assert.Equal((200, "GIF"), await Ask(shared, HttpMethod.Get, $"/count?product={site}&{View}"));
        Assert.Equal((200, "GIF"), await Ask(shared, HttpMethod.Get, $"/count?product={site}?{View}"));
        var events = await shared.Events(site);
        Assert.Equal(4, events.Count);
        Assert.All(events, one => Assert.Equal(
            ("view", "/cheese", "mail", "may", "www.google.com", "Käse", "1536", null),
            (one.Action, one["path"], one["utm_source"], one["utm_campaign"], one["referrer"], one["title"],
                one["screen"], one["rnd"])));
    }

    [Theory, EachStorage]
    public async Task An_event_has_its_path_for_a_name(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal((200, "GIF"), await Ask(shared, HttpMethod.Get,
            $"/count?p=click-%C3%A9-banner&e=true&t=Banner&r=https%3A%2F%2F{site}%2Fx&b=153&rnd=aaaaa",
            ("Referer", $"https://{site}/")));
        var clicked = Assert.Single(await shared.Events(site));
        Assert.Equal(("click-é-banner", "Banner", "153", null, null),
            (clicked.Action, clicked["title"], clicked["bot"], clicked["path"], clicked["referrer"]));
        // nothing is counted for HEAD
        Assert.Equal(200, (await Ask(shared, HttpMethod.Head, "/count?" + View, ("Referer", $"https://{site}/"))).Status);
        Assert.Single(await shared.Events(site));
    }

    [Theory, EachStorage]
    public async Task Its_api_takes_many_and_names_those_that_it_refuses(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var time = DateTime.UtcNow.AddDays(-3).ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        const string good =
            """{"path":"/a","title":"A","ref":"news","size":[1024,768,2],"query":"utm_source=x","session":"ada-SITE","created_at":"TIME","location":"DE","user_agent":"x","ip":"1.2.3.4"}""";
        Assert.Equal((202, "{}"), await Count(shared,
            $$"""{"no_sessions":true,"filter":[],"hits":[{{good}},{{good}},{"path":"buy","event":true,"bot":150}]}"""
                .Replace("TIME", time)));
        var events = await shared.Events(site);
        Assert.Equal(3, events.Count);
        Assert.Equal(2, events.Count(one => one.Fingerprint == "ada-" + site));
        var view = events.First(one => one.Action == "view");
        Assert.Equal(("/a", "A", "news", "1024", "x", "DE"), (view["path"], view["title"], view["referrer"],
            view["screen"], view["utm_source"], view["location"]));
        Assert.Equal("150", events.Single(one => one.Action == "buy")["bot"]);
        Assert.All(events, one => Assert.DoesNotContain("1.2.3.4", one.Properties));

        var refused = await Count(shared, """
            {"hits":[{"path":"/"},{},17,{"path":"/","created_at":"2001-01-01T00:00:00Z"},{"path":"/","created_at":"soon"},{"path":"x\u0000","event":true},{"path":"/","session":"\ud800"}]}
            """);
        refused.AssertRefused(400, "messages_refused");
        Assert.Contains("\"handled\":7,\"recorded\":1,", refused.Body);
        Assert.Equal(4, (await shared.Events(site)).Count);
    }

    [Theory]
    [InlineData(422, "missing_field", "p", "")]
    [InlineData(422, "missing_field", "p", "p=&t=x")]
    [InlineData(422, "duplicate_field", "p", "p=%2F&p=%2Fb")]
    [InlineData(400, "malformed_query", null, "p=%FF")]
    [InlineData(422, "invalid_characters", "action", "p=a%00&e=true")]
    [InlineData(422, "too_long", "action", "p=LONG&e=1")]
    public async Task A_query_that_cannot_be_read_is_refused(int status, string reason, string? field, string query)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        using var request =
            new HttpRequestMessage(HttpMethod.Get, $"/count?product={site}&" + query.Replace("LONG", new string('x', 257)));
        (await shared.App.Track(request)).AssertRefused(status, reason, field);
        Assert.Empty(await shared.Events(site));
    }

    [Theory]
    [InlineData(400, "malformed_body", null, "")]
    [InlineData(422, "missing_field", "hits", "[]")]
    [InlineData(422, "missing_field", "hits", """{"hits":{}}""")]
    [InlineData(413, "body_too_large", null, """{"hits":[MANY]}""")]
    [InlineData(413, "body_too_large", null, """{"hits":["LARGE"]}""")]
    public async Task A_body_that_is_no_batch_is_refused_whole(int status, string reason, string? field, string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        (await Count(shared, body.Replace("MANY", string.Join(',', Enumerable.Repeat("{\"path\":\"/\"}", 5_001)))
            .Replace("LARGE", new string('x', 4 << 20)))).AssertRefused(status, reason, field);
        Assert.Empty(await shared.Events(site));
    }

    [Fact]
    public async Task Without_a_page_an_address_or_a_key_there_is_no_product()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/count?" + View);
        (await shared.App.Track(request)).AssertRefused(422, "missing_field", "product");
    }

    private Task<(int Status, string Body)> Count(Shared shared, string body) =>
        shared.App.Track("/api/v0/count?product=" + site, body.Replace("SITE", site), "application/json");

    private static async Task<(int Status, string Kind)> Ask(Shared shared, HttpMethod method, string path,
        params (string, string)[] headers)
    {
        using var request = new HttpRequestMessage(method, path);
        var (status, body) = await shared.App.Track(request, headers: headers);
        return (status, body.Length < 3 ? body : body[..3]);
    }
}
