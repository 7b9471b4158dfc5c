using Tally.Silo.Http.AbuseLimits;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Bots that identify themselves. The operator decides whether they count; by default a 200 means recorded.
/// </summary>
public sealed class Bots(PostgresServer server)
{
    private const string Googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0";

    [Fact]
    public async Task They_are_answered_and_not_recorded_where_the_operator_wants_so()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using (var app = await AppProcess.Start(database, flags: ["-bots=ignore"]))
        {
            foreach (var body in (string[])["action=view&product=k8s&fingerprint=bot", "what bots send", ""])
            {
                var answer = await Post(app, Googlebot, body);
                Assert.Equal((200, "bot"), (answer.Status, answer.Text("ignored")));
            }
            Assert.Equal(200, (await Post(app, Firefox, "action=view&product=k8s&fingerprint=human")).Status);
            Assert.Equal(404, (await app.View("bot")).Status);
            await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_bots_ignored_total") == 3,
                "The bots are not counted as such.");
        }
        await using (var app = await AppProcess.Start(database))
        {
            Assert.Equal(1, (await Post(app, Googlebot, "action=view&product=k8s&fingerprint=bot")).Sequence);
            Assert.Equal(200, (await app.View("bot")).Status);
        }
    }

    [Fact]
    public void The_list_knows_bots_and_neither_browsers_nor_programs()
    {
        Assert.All(((string[])
        [
            Googlebot, "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm) Chrome/116.0.1938.76 Safari/537.36",
            "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
            "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/120.0.6099.71 Safari/537.36", "Pingdom.com_bot_version_1.4_(http://www.pingdom.com/)",
            "Mozilla/5.0 (compatible; SemrushBot/7~bl; +http://www.semrush.com/bot.html)",
        ]), userAgent => Assert.True(KnownBots.IsBot(userAgent), userAgent));
        Assert.All(((string[])
        [
            "", Firefox,
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0",
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1",
            "Mozilla/5.0 (Linux; Android 10; CUBOT NOTE 20) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0 Mobile Safari/537.36",
            "curl/8.11.0", "Go-http-client/1.1", "python-requests/2.32.3", "okhttp/4.12.0", "node", "axios/1.7.7",
            "Apache-HttpClient/4.5.14 (Java/21)", new string('a', 30_000),
        ]), userAgent => Assert.False(KnownBots.IsBot(userAgent), userAgent));
    }

    private static Task<Answer> Post(AppProcess app, string userAgent, string form)
    {
        var request =
            new HttpRequestMessage(HttpMethod.Post,
                "/api/events")
            { Content = new StringContent(form, null, "application/x-www-form-urlencoded") };
        request.Headers.TryAddWithoutValidation("User-Agent", userAgent);
        return app.Send(request);
    }
}
