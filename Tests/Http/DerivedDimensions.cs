using System.Text.Json;
using Tally.Silo.Http.Derived;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What the server makes of a request: a browser, a country, a channel. Their sources are not kept.</summary>
public sealed class DerivedDimensions(PostgresServer server)
{
    private const string Phone =
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1";

    private const string Desktop =
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0";

    [Theory]
    [InlineData(Phone, "Safari", "iOS", "phone")]
    [InlineData(Desktop, "Edge", "Windows", "desktop")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0", "Firefox", "Linux", "desktop")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", "Chrome", "macOS", "desktop")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/26.0 Chrome/122.0.0.0 Mobile Safari/537.36", "Samsung Internet", "Android", "phone")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36", "Chrome", "Android", "tablet")]
    [InlineData("Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/130.0 Mobile/15E148 Safari/604.1", "Chrome", "iOS", "tablet")]
    [InlineData("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 OPR/114.0.0.0", "Opera", "ChromeOS", "desktop")]
    [InlineData("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", "bot", "other", "bot")]
    [InlineData("curl/8.5.0", "other", "other", "other")]
    [InlineData("\u0001", "other", "other", "other")]
    public void A_user_agent_names_its_families(string agent, string browser, string system, string device) =>
        Assert.Equal((browser, system, device),
            (UserAgent.BrowserOf(agent), UserAgent.SystemOf(agent), UserAgent.DeviceOf(agent)));

    [Theory]
    [InlineData(null, null), InlineData("{}", null), InlineData("""{"path":"/"}""", null)]
    [InlineData("""{"referrer":"www.google.com"}""", "search"), InlineData("""{"referrer":"search.brave.com"}""", "search")]
    [InlineData("""{"referrer":"mail.google.com"}""", "email"), InlineData("""{"referrer":"t.co"}""", "social")]
    [InlineData("""{"referrer":"l.facebook.com"}""", "social"), InlineData("""{"referrer":"netflix.com"}""", "referral")]
    [InlineData("""{"referrer":"googleplex.example"}""", "referral"), InlineData("""{"referrer":"chatgpt.com"}""", "assistant")]
    [InlineData("""{"utm_source":"google","utm_medium":"cpc"}""", "paid")]
    [InlineData("""{"utm_source":"may-newsletter"}""", "email"), InlineData("""{"utm_source":"LinkedIn"}""", "social")]
    [InlineData("""{"utm_source":"poster"}""", "campaign"), InlineData("""{"utm_medium":"paid-social"}""", "paid")]
    [InlineData("""{"utm_source":"poster","referrer":"t.co"}""", "campaign")]
    public void A_channel_comes_from_utm_and_then_from_the_referrer(string? properties, string? channel) =>
        Assert.Equal(channel, Channel.Find(properties));

    [Theory, EachStorage]
    public async Task They_are_counted_like_properties_and_their_sources_are_not_kept(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var countries = Path.Combine(Directory.CreateTempSubdirectory("tally-countries-").FullName, "countries.mmdb");
        MmdbFile.Write(countries, ("203.0.113.0/24", "NZ"), ("198.51.100.0/24", "CH"));
        await using var app = await AppProcess.Start(at, flags:
            ["-derive", "browser,os,device,channel", "-geoDatabase", countries, "-trustedProxies", "127.0.0.1"]);
        foreach (var (agent, address, visitor) in ((string, string, string)[])
            [(Phone, "203.0.113.7", "a"), (Desktop, "198.51.100.9", "b"), (Desktop, "192.0.2.1", "c"), (Phone, "2001:db8::1", "d")])
            Assert.Equal(200, (await Post(app, agent, address, visitor, "order-1")).Status);
        // A repeat from elsewhere says the same.
        Assert.True((await Post(app, Desktop, "198.51.100.9", "a", "order-1")).Duplicate);

        Assert.Equal(["Edge 2", "Safari 2"], await Values(app, "browser"));
        Assert.Equal(["Windows 2", "iOS 2"], await Values(app, "os"));
        Assert.Equal(["desktop 2", "phone 2"], await Values(app, "device"));
        Assert.Equal(["CH 1", "NZ 1"], await Values(app, "country"));
        Assert.Equal(["search 4"], await Values(app, "channel"));
        var kept = await at.Query("select cast(properties as text) from events", row => row.GetString(0));
        Assert.All(kept, properties =>
        {
            Assert.DoesNotContain("Mozilla", properties);
            Assert.DoesNotContain("113.7", properties);
        });
        await AppProcess.AssertVerifies(at);
    }

    private static Task<Answer> Post(AppProcess app, string agent, string address, string visitor, string id)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/events")
        {
            Content = new StringContent(JsonSerializer.Serialize(new
            {
                action = "view", product = "k8s", fingerprint = visitor, id,
                properties = new { path = "/", referrer = "www.google.com" },
            }), new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
        };
        request.Headers.TryAddWithoutValidation("User-Agent", agent);
        request.Headers.Add("X-Forwarded-For", address);
        return app.Send(request);
    }

    private static async Task<IEnumerable<string>> Values(AppProcess app, string by) =>
        (await app.Get("/api/breakdown?by=" + by)).Body.GetProperty("values").EnumerateArray()
        .Select(one => $"{one.GetProperty("value")} {one.GetProperty("events")}").Order(StringComparer.Ordinal);
}
