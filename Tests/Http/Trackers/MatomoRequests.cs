using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Matomo's tracking API, as its documentation has it.</summary>
[Collection<TrackerApp>]
public sealed class MatomoRequests(TrackerApps apps)
{
    private const string Form = "application/x-www-form-urlencoded; charset=UTF-8";
    private const string View =
        "idsite=SITE&rec=1&action_name=K%C3%A4se%20%2F%20Alle&url=https%3A%2F%2Fshop.example%2Fcheese%3Futm_source%3Dmail&_id=VISITOR&urlref=https%3A%2F%2Fwww.google.com%2F&res=1920x1080&lang=de&rand=351459&apiv=1&h=12&m=3&s=4&cookie=1&cip=1.2.3.4&ua=x&dimension1=pro&uid=ada";

    private readonly string site = $"{Random.Shared.NextInt64():d}";
    private readonly string visitor = $"{Random.Shared.NextInt64():x16}";

    [Theory, EachStorage]
    public async Task A_page_view_comes_as_an_image_a_form_or_both_and_under_either_name(StorageKind storage)
    {
        var shared = await apps.On(storage);
        Assert.Equal((200, "GIF"), await Get(shared, "/matomo.php?" + View));
        Assert.Equal((204, ""), await Get(shared, "/piwik.php?" + View + "&send_image=0"));
        Assert.Equal((204, ""), await Post(shared, "/matomo.php", View + "&send_image=0", Form));
        Assert.Equal((200, "GIF"), await Post(shared, "/piwik.php", "?" + View, Form));
        Assert.Equal((204, ""), await Post(shared, "/matomo.php?idsite=other&rec=1&send_image=0", View, Form));
        Assert.Equal((200, "GIF"), await Post(shared, "/matomo.php?" + View, "", null));
        var events = await shared.Events(site);
        Assert.Equal(6, events.Count);
        Assert.All(events, one => Assert.Equal(
            ("view", visitor, "/cheese", "mail", "Käse / Alle", "www.google.com", "1536"),
            (one.Action, one.Fingerprint, one["path"], one["utm_source"], one["title"], one["referrer"],
                one["screen"])));
        Assert.All(events, one => Assert.Equal(("de", "pro", "ada", null, null, null),
            (one["language"], one["dimension1"], one["uid"], one["cip"], one["ua"], one["url"])));
    }

    [Theory, EachStorage]
    public async Task Each_kind_of_action_has_a_name(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (query, _) in Kinds)
            Assert.Equal((200, "GIF"), await Get(shared, $"/matomo.php?idsite=SITE&rec=1&cid=VISITOR&{query}"));
        var events = await shared.Events(site);
        Assert.Equal(Kinds.Select(kind => kind.Action).Order(), events.Select(one => one.Action).Order());
        TrackedEvent Of(string action) => events.Single(one => one.Action == action);
        Assert.Equal(("Video", "Trailer", "9.5"), (Of("Play")["e_c"], Of("Play")["e_n"], Of("Play")["e_v"]));
        Assert.Equal(("files.example/a.pdf", "other.example/x"), (Of("download")["link"], Of("outbound")["link"]));
        Assert.Equal(("brie", "2", "no number"), (Of("search")["search"], Of("search")["search_count"],
            Of("search")["revenue"]));
        Assert.Equal(("3", "12.50"), (Of("goal")["idgoal"], Of("goal")["revenue"]));
        Assert.Equal(("o-1", """[["sku","name",["a"],9,1]]"""), (Of("order")["ec_id"],
            Of("order")["ec_items"]!.Replace(" ", "")));
        Assert.Equal(JsonValueKind.Number,
            JsonDocument.Parse(Of("goal").Properties!).RootElement.GetProperty("revenue").ValueKind);
    }

    private static readonly (string Query, string Action)[] Kinds =
    [
        ("e_c=Video&e_a=Play&e_n=Trailer&e_v=9.5", "Play"), ("download=https%3A%2F%2Ffiles.example%2Fa.pdf%3Fx", "download"),
        ("link=https%3A%2F%2Fother.example%2Fx", "outbound"), ("search=brie&search_count=2&revenue=no%20number", "search"),
        ("c_n=Ad&c_p=top", "impression"), ("c_n=Ad&c_i=click", "interaction"), ("idgoal=3&revenue=12.50", "goal"),
        ("idgoal=0&ec_id=o-1&revenue=9&ec_items=%5B%5B%22sku%22%2C%22name%22%2C%5B%22a%22%5D%2C9%2C1%5D%5D", "order"),
        ("idgoal=0&revenue=9", "cart"), ("ping=1", "ping"), ("ca=1&ma_id=x", "custom"), ("url=app%3A%2F%2Fshop", "view"),
    ];

    [Theory, EachStorage]
    public async Task A_time_is_in_utc_or_in_seconds_or_as_long_ago_as_it_says(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var time = DateTime.UtcNow.AddDays(-3);
        foreach (var text in (string[])
                 [
                     "cdt=" + time.ToString("yyyy-MM-dd'%20'HH:mm:ss"), "cdt=" + time.ToString("yyyy-MM-dd'+'HH:mm:ss"),
                     "cdt=" + time.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'"),
                     "cdt=" + new DateTimeOffset(time).ToUnixTimeSeconds(), "cdo=259200",
                 ])
            Assert.Equal((200, "GIF"), await Get(shared, $"/matomo.php?idsite=SITE&rec=1&_id=VISITOR&{text}"));
        var answer = await shared.App.Get(Requests.Path(visitor) + "/events");
        var occurred = answer.Body.GetProperty("events").EnumerateArray()
            .Select(one => one.GetProperty("occurred").GetDateTime()).ToList();
        Assert.Equal(5, occurred.Count);
        Assert.All(occurred, one => Assert.InRange(one, time.AddSeconds(-2), time.AddMinutes(10)));
    }

    [Theory, EachStorage]
    public async Task A_bulk_counts_what_is_good_and_names_the_rest(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var (status, body) = await Post(shared, "/matomo.php", $$"""
            {"token_auth":"33dc3f2536d3025974cccb4b4d2d98f4","requests":["?{{View}}","{{View}}",{"idsite":"SITE","rec":1,"e_c":"a","e_a":"b","_id":"VISITOR"},
            "?idsite=SITE","?rec=1&_id=VISITOR","?idsite=SITE&rec=1&cdt=2001-01-01%2000:00:00&_id=VISITOR","?idsite=SITE&rec=1&cdt=soon&_id=VISITOR",
            "?idsite=SITE&rec=1&url=%FF","?idsite=SITE&rec=1&rec=1",17,"?idsite=SITE&rec=1&e_c=a&e_a=%00&_id=VISITOR","?idsite=SITE&rec=1&_id=%ED%A0%80"]}
            """, "application/json");
        Assert.Equal((200, """{"status":"success","tracked":3,"invalid":9,"invalid_indices":[3,4,5,6,7,8,9,10,11]}"""),
            (status, body));
        Assert.Equal(3, (await shared.Events(site)).Count);
        Assert.Equal((200, """{"status":"success","tracked":0,"invalid":0,"invalid_indices":[]}"""),
            await Post(shared, "/matomo.php", """{"requests":[]}""", null));
    }

    [Theory]
    [InlineData(422, "unknown_value", "rec", "idsite=SITE")]
    [InlineData(422, "unknown_value", "rec", "")]
    [InlineData(422, "missing_field", "product", "rec=1&_id=VISITOR")]
    [InlineData(422, "duplicate_field", "url", "idsite=SITE&rec=1&url=a&url=b")]
    [InlineData(422, "invalid_timestamp", "timestamp", "idsite=SITE&rec=1&_id=VISITOR&cdt=2026-13-45%2000:00:00")]
    [InlineData(422, "out_of_range", "timestamp", "idsite=SITE&rec=1&_id=VISITOR&cdt=2001-01-01%2000:00:00")]
    [InlineData(422, "out_of_range", "timestamp", "idsite=SITE&rec=1&_id=VISITOR&cdo=4294967295")]
    [InlineData(422, "invalid_characters", "fingerprint", "idsite=SITE&rec=1&_id=%00")]
    [InlineData(400, "malformed_query", null, "idsite=SITE&rec=1&_id=%F")]
    [InlineData(422, "too_long", "properties", "idsite=SITE&rec=1&_id=VISITOR&action_name=LARGE")]
    [InlineData(413, "body_too_large", null, "idsite=SITE&rec=1&_id=VISITOR&action_name=LARGELARGE")]
    [InlineData(400, "malformed_body", null, "{")]
    [InlineData(422, "missing_field", "requests", "{}")]
    [InlineData(422, "missing_field", "requests", "[\"?idsite=SITE&rec=1\"]")]
    [InlineData(413, "body_too_large", null, """{"requests":[MANY]}""")]
    public async Task What_cannot_be_read_is_refused_and_nothing_recorded(int status, string reason, string? field,
        string body)
    {
        var shared = await apps.On(StorageKind.Sqlite);
        body = body.Replace("LARGE", new string('x', 33_000))
            .Replace("MANY", string.Join(',', Enumerable.Repeat("\"?idsite=SITE&rec=1\"", 5_001)));
        (await shared.App.Track("/matomo.php", Filled(body), Form)).AssertRefused(status, reason, field);
        Assert.Empty(await shared.Events(site));
    }

    [Fact]
    public async Task Without_a_visitor_the_server_gives_the_fingerprint()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        foreach (var id in (string[])["", "&_id=", "&uid=ada-" + visitor])
            Assert.Equal((200, "GIF"), await Get(shared, "/matomo.php?idsite=SITE&rec=1" + id));
        var events = await shared.Events(site);
        Assert.Equal([1, 2], events.GroupBy(one => one.Fingerprint).Select(one => one.Count()).Order());
        Assert.Single(events, one => one.Fingerprint == "ada-" + visitor && one["uid"] is null);
    }

    private string Filled(string text) => text.Replace("SITE", site).Replace("VISITOR", visitor);

    private async Task<(int Status, string Kind)> Get(Shared shared, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, Filled(path));
        var (status, body) = await shared.App.Track(request);
        return (status, body.Length < 3 ? body : body[..3]);
    }

    private async Task<(int Status, string Body)> Post(Shared shared, string path, string body, string? contentType)
    {
        var (status, answer) = await shared.App.Track(Filled(path), Filled(body), contentType);
        return (status, answer.StartsWith("GIF", StringComparison.Ordinal) ? "GIF" : answer);
    }
}
