using System.Net;
using System.Text;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>Erasing a fingerprint on its page: as DELETE does, after another question, and with its keys.</summary>
public sealed class ErasingOnThePage(PostgresServer server) : IAsyncDisposable
{
    private const string Reader = "reader-0123456789abcdef", Eraser = "eraser-0123456789abcdef";
    private const string Form = "application/x-www-form-urlencoded", Page = "/fingerprint/erase?of=ada";

    private static readonly Dictionary<string, string> Keys = new()
    {
        ["APP_READ_KEYS"] = Reader, ["APP_ERASE_KEYS"] = Eraser,
    };

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task Without_keys_it_asks_once_more_and_tells_what_was_removed(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        const string odd = "a/b?&=#<b>";
        foreach (var fingerprint in (string[])[odd, odd, odd, "ada"])
            Assert.Equal(200, (await Post(app, fingerprint)).Status);
        var tab = await reader.Open(app, "/fingerprint?of=" + Uri.EscapeDataString(odd));
        await tab.SetJavaScriptEnabledAsync(false);

        await Click(tab, ".erase button");
        Assert.Equal(odd, await Text(tab, ".ask bdi"));
        Assert.Contains("It has 3 events.", await Text(tab, ".ask"));
        Assert.Contains("A later event will be", await Text(tab, ".ask"));
        Assert.Null(await tab.QuerySelectorAsync("#key"));
        await Click(tab, ".ask a");
        Assert.Equal(200, (await app.View(odd)).Status); // nothing is done yet

        await tab.ClickAsync("[name=suppress]");
        await Click(tab, ".erase button");
        await Click(tab, ".ask button");
        Assert.Equal(["3", "0", "1"], await Texts(tab, ".removed dd"));
        Assert.Contains("are refused", await Text(tab, ".message"));
        await tab.SetJavaScriptEnabledAsync(true);
        await reader.AssertIsGood(tab, "erased");
        (await app.View(odd)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        (await Post(app, odd)).AssertRefused(403, "suppressed", "fingerprint");

        await tab.GoToAsync(Address(app) + Page);
        await Click(tab, ".ask button");
        Assert.Contains("a new fingerprint", await Text(tab, ".message"));
        (await app.View("ada")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        Assert.Equal(200, (await Post(app, "ada")).Status);
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task With_keys_it_takes_an_erase_key_and_nothing_else()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        Assert.Equal(200, (await Post(app, "ada")).Status);
        var tab = await reader.Open(app, Page);
        await tab.TypeAsync("#key", Reader);
        await Click(tab, ".sign-in button");
        Assert.Contains("It has 1 event.", await Text(tab, ".ask"));
        foreach (var wrong in (string[])[Reader, Eraser + "x", new string('x', 600)])
        {
            await tab.EvaluateFunctionAsync("key => document.querySelector('#key').value = key", wrong);
            await Click(tab, ".ask button");
            Assert.Equal("That is not an erase key of this server.", await Text(tab, "[role=alert]"));
        }
        Assert.Equal(200, (await View(app)).Status);
        reader.Forgive(); // their status
        await reader.AssertIsGood(tab, "erase-wrong");
        await tab.TypeAsync("#key", Eraser);
        await Click(tab, ".ask button");
        Assert.Equal(["1", "0", "0"], (await Texts(tab, ".removed dd")).Select((text, i) => i == 2 ? "0" : text));
        (await View(app)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        await app.Terminate();
        Assert.DoesNotContain(Eraser, app.Output);
    }

    [Fact]
    public async Task A_session_a_header_and_another_site_erase_nothing_and_tries_are_limited()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, Keys);
        Assert.Equal(200, (await Post(app, "ada")).Status);
        var session = await SignIn(app);
        foreach (var (form, header, value, status) in ((string, string, string, int)[])
                 [
                     ("", "Cookie", session, 401), ("key=", "Cookie", session, 401),
                     ($"key={Reader}", "Cookie", session, 403), ($"key={Eraser}&key={Eraser}", "Cookie", session, 401),
                     ("", "Authorization", "Bearer " + Eraser, 401), // it may not even read
                     ($"key={Eraser}", "X-Nothing", "", 401), // nobody is signed in
                 ])
            Assert.Equal((form, header, status), (form, header, await Try(app, form, header, value)));
        foreach (var (name, value) in ((string, string)[])
                 [
                     ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Site", "same-site"),
                     ("Origin", "https://evil.example"),
                 ])
            Assert.Equal(403, await Try(app, "key=" + Eraser, "Cookie", session, (name, value)));
        Assert.Equal(400, await Try(app, "key=" + new string('x', 5_000), "Cookie", session));
        Assert.Equal(200, (await View(app)).Status);
        for (var tries = 0; await Try(app, "key=guess", "Cookie", session) is var status && status != 429; tries++)
            Assert.True(tries < 30 && status == 401, "Nobody is stopped from guessing.");
        Assert.Equal(429, await Try(app, "key=" + Eraser, "Cookie", session));
        Assert.Equal(200, (await View(app)).Status);
    }

    [Fact]
    public async Task With_keys_and_none_to_erase_the_page_says_so()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new() { ["APP_WRITE_KEYS"] = Reader });
        Assert.Equal(200, (await Post(app, "ada", Reader)).Status);
        var tab = await reader.Open(app, "/fingerprint?of=ada");
        Assert.Contains("Nobody can erase here", await Text(tab, ".erase"));
        Assert.Null(await tab.QuerySelectorAsync(".erase form"));
        Assert.Equal(401, await Try(app, "key=", "X-Nothing", ""));
        Assert.Equal(200, (await app.View("ada")).Status);
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static Task<Answer> Post(AppProcess app, string fingerprint, string? key = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/api/events")
        {
            Content = new StringContent($"action=view&product=shop&fingerprint={Uri.EscapeDataString(fingerprint)}",
                Encoding.UTF8, Form),
        };
        if (key is not null) request.Headers.Authorization = new("Bearer", key);
        return app.Send(request);
    }

    private static Task<Answer> View(AppProcess app) => app.Send(new(HttpMethod.Get, Requests.Path("ada"))
    { Headers = { Authorization = new("Bearer", Reader) } });

    private static async Task<string> SignIn(AppProcess app)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        using var answer = await client.PostAsync(Address(app) + "/sign-in",
            new StringContent("key=" + Reader, Encoding.UTF8, Form));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return answer.Headers.GetValues("Set-Cookie").Single().Split(';')[0];
    }

    private static async Task<int> Try(AppProcess app, string form, string header, string value,
        (string Name, string Value)? from = null)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, Address(app) + Page)
        { Content = new StringContent(form, Encoding.UTF8, Form) };
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        request.Headers.TryAddWithoutValidation(header, value);
        if (from is var (name, site)) request.Headers.TryAddWithoutValidation(name, site);
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
