using System.Net;
using System.Text;
using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>With read keys, a person signs in with one, for all silos, and gets to read and nothing more.</summary>
public sealed class SigningIn(PostgresServer server) : IAsyncDisposable
{
    private const string Reader = "reader-0123456789abcdef", Both = "both-0123456789abcdef";

    private static readonly Dictionary<string, string> Keys = new()
    {
        ["APP_READ_KEYS"] = $"{Reader} {Both}", ["APP_WRITE_KEYS"] = Both, ["APP_ERASE_KEYS"] = Both,
        ["APP_RULE_KEYS"] = Both,
    };

    private readonly Chromium chromium = new();

    [Fact]
    public async Task A_key_opens_the_page_until_the_person_signs_out()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        var address = $"http://127.0.0.1:{app.Port}";
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.GoToAsync(address + "/?range=7d");
        await Enter(tab, "a wrong one");
        Assert.Contains("not a read key of this server", await Text(tab, "[role=alert]"));
        await Enter(tab, Reader);
        Assert.Equal(address + "/?range=7d", tab.Url);
        Assert.Equal("Waiting for the first event", await Text(tab, "h1"));

        // its script too reads with the cookie, and the live stream
        Assert.Equal(200, (await app.Send(Posting(Both))).Status);
        await tab.WaitForSelectorAsync(".figures");
        Assert.Equal("", await tab.EvaluateExpressionAsync<string>("document.cookie"));
        var other = await tab.BrowserContext.NewPageAsync();
        await other.GoToAsync(address);
        await other.ClickAsync(".settings summary");
        await Task.WhenAll(other.WaitForNavigationAsync(), other.ClickAsync("[action='/sign-out'] button"));
        await other.WaitForSelectorAsync("#key");
        // the first tab finds out when its numbers are next due
        await tab.BringToFrontAsync();
        await tab.EvaluateExpressionAsync("Date.now = (now => () => now() + 60_000)(Date.now)");
        await tab.WaitForSelectorAsync("#key");
        await tab.GoToAsync(address);
        Assert.NotNull(await tab.QuerySelectorAsync("#key"));
    }

    [Fact]
    public async Task A_session_reads_through_every_silo_and_changes_no_event()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var one = await AppProcess.Start(database, Keys);
        await using var other = await AppProcess.Start(database, Keys);
        var cookie = await SignIn(one, Both);
        foreach (var app in (AppProcess[])[one, other])
        {
            Assert.Equal(200, (await app.Send(With(cookie, HttpMethod.Get, "/api/totals"))).Status);
            Assert.Equal(200, (await app.Send(With(cookie, HttpMethod.Head, "/api/live/events"))).Status);
            (await app.Send(With(cookie, HttpMethod.Delete, "/api/fingerprints/a")))
                .AssertRefused(403, "key_not_for_erasing");
            (await app.Send(With(cookie, HttpMethod.Delete, "/api/rules/a"))).AssertRefused(403, "key_not_for_rules");
            (await app.Send(With(cookie, HttpMethod.Post, "/api/events", "action=a&product=b&fingerprint=c")))
                .AssertRefused(401, "missing_key"); // events come with a key alone
            (await app.Send(With(cookie[..^3], HttpMethod.Get, "/api/totals"))).AssertRefused(401, "missing_key");
        }
        await one.Terminate();
        await other.Terminate();
        Assert.DoesNotContain(Both, one.Output + other.Output + cookie);

        // the key is withdrawn
        await using var later = await AppProcess.Start(database, new() { ["APP_READ_KEYS"] = Reader });
        (await later.Send(With(cookie, HttpMethod.Get, "/api/totals"))).AssertRefused(401, "missing_key");
    }

    [Fact]
    public async Task A_session_ends_by_itself_and_the_page_asks_for_a_key_again()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new(Keys) { ["Limits__SessionSeconds"] = "20" });
        Assert.Equal(200, (await app.Send(Posting(Both))).Status);
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.GoToAsync($"http://127.0.0.1:{app.Port}/");
        await Enter(tab, Reader);
        await tab.WaitForFunctionAsync(
            "() => document.querySelector('.figures') && !document.querySelector('[data-load]')");
        var cookie = await SignIn(app, Reader); // later than the tab's last use, so it ends later
        using var client = NewClient(); // without a memory for the new cookie that it gets
        await Eventually.True(async () =>
            {
                using var answer = await client.SendAsync(
                    With(cookie, HttpMethod.Get, $"http://127.0.0.1:{app.Port}/api/totals"));
                return answer.StatusCode == HttpStatusCode.Unauthorized;
            },
            () => "The session goes on.", seconds: 60);
        // the tab finds out when its numbers are next due
        await tab.EvaluateExpressionAsync("Date.now = (now => () => now() + 60_000)(Date.now)");
        await tab.WaitForSelectorAsync("#key");
    }

    [Fact]
    public async Task What_is_no_sign_in_is_refused_and_tries_are_limited()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        foreach (var (body, type) in ((string, string?)[])
                 [
                     ("key=" + new string('x', 5_000), "application/x-www-form-urlencoded"), ("{}", "application/json"),
                     ("key=x", null), ("x", "multipart/form-data; boundary=y"),
                     ("key=x", "application/x-www-form-urlencoded; charset=utf-7"),
                 ])
            (await app.Post(Encoding.UTF8.GetBytes(body), type, path: "/sign-in")).AssertRefused(400, "malformed_body");
        foreach (var elsewhere in (string[])["//evil.example", "/?x%0d%0aSet-Cookie:a=b"])
            using (var answer = await Try(app, $"key={Reader}&to={elsewhere}"))
                Assert.Equal((HttpStatusCode.SeeOther, "/"), (answer.StatusCode, $"{answer.Headers.Location}"));
        foreach (var wrong in (string[])["", "key=x&key=" + Reader, "key=%ff"])
            using (var answer = await Try(app, wrong)) Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        for (var tries = 0; ; tries++)
        {
            using var answer = await Try(app, "key=guess");
            if (answer.StatusCode == HttpStatusCode.TooManyRequests) break;
            Assert.True(tries < 30, "Nobody is stopped from guessing.");
        }
    }

    public ValueTask DisposeAsync() => chromium.DisposeAsync();

    private static async Task Enter(IPage tab, string key)
    {
        await tab.TypeAsync("#key", key);
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.ClickAsync(".sign-in button"));
    }

    private static Task<string> Text(IPage tab, string selector) =>
        tab.EvaluateFunctionAsync<string>("selector => document.querySelector(selector).textContent", selector);

    private static HttpRequestMessage Posting(string key)
    {
        var request = With("", HttpMethod.Post, "/api/events", "action=view&product=shop&fingerprint=ada");
        request.Headers.Authorization = new("Bearer", key);
        return request;
    }

    private static HttpRequestMessage With(string cookie, HttpMethod method, string path, string? form = null)
    {
        var request = new HttpRequestMessage(method, path);
        request.Headers.TryAddWithoutValidation("Cookie", cookie);
        if (form is not null)
            request.Content = new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded");
        return request;
    }

    private static async Task<string> SignIn(AppProcess app, string key)
    {
        using var answer = await Try(app, "key=" + key);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=strict", cookie);
        return cookie.Split(';')[0];
    }

    private static HttpClient NewClient() =>
        new(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });

    private static async Task<HttpResponseMessage> Try(AppProcess app, string form)
    {
        using var client = NewClient();
        return await client.PostAsync($"http://127.0.0.1:{app.Port}/sign-in",
            new StringContent(form, Encoding.UTF8, "application/x-www-form-urlencoded"));
    }
}
