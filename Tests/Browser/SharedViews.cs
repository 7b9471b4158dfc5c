using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>A link that shows one product to people without a key.</summary>
public sealed class SharedViews(PostgresServer server) : IAsyncDisposable
{
    private const string Key = "reader-0123456789abcdef";

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task A_link_shows_its_product_alone_until_it_is_ended(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new() { ["APP_READ_KEYS"] = Key });
        await Fill(app);

        // made on the page
        var owner = await reader.Open(app, "/shares");
        await owner.TypeAsync("#key", Key);
        await Click(owner, ".sign-in button");
        reader.Forgive(); // of the page that asked for the key, a 401
        await owner.TypeAsync("[name=name]", "team");
        await owner.TypeAsync("[name=product]", "shop");
        await Click(owner, ".fields button");
        var link = await Text(owner, ".made code");
        await reader.AssertIsGood(owner, "shares");
        await owner.GoToAsync(Address(app) + "/shares");
        Assert.DoesNotContain(link, await owner.GetContentAsync());

        // seen by somebody else
        var path = new Uri(link).AbsolutePath;
        var tab = await reader.Open(app, path + "?product=docs");
        Assert.Equal("3", (await Texts(tab, ".number"))[0]);
        Assert.DoesNotContain("secret", await tab.GetContentAsync(), StringComparison.Ordinal);
        Assert.Empty(await Texts(tab, ".pages a"));
        Assert.Empty(await Texts(tab, "form[action='/annotations']"));
        await tab.EvaluateExpressionAsync(
            "[...document.querySelectorAll('.list a')].find(a => a.textContent.trim() === 'view').id = 'view'");
        await Click(tab, "#view");
        Assert.Equal((path + "/", "2"),
            (new Uri(tab.Url).AbsolutePath, (await Texts(tab, ".number"))[0]));
        await tab.GoToAsync($"{Address(app)}{path}/?panel=path");
        Assert.Contains("/cart", await Texts(tab, ".list bdi"));
        await reader.AssertIsGood(tab, "shared");
        var links = await tab.EvaluateExpressionAsync<string[]>("[...document.links].map(link => link.pathname)");
        Assert.All(links, to => Assert.StartsWith(path, to));

        // and nothing else
        reader.Forgive();
        using var stranger = new HttpClient { BaseAddress = new(Address(app)) };
        Assert.Equal(401, (int)(await stranger.GetAsync("/api/totals")).StatusCode);
        Assert.Contains("view", await stranger.GetStringAsync(path + "/list.csv?panel=actions"));
        Assert.DoesNotContain("secret", await stranger.GetStringAsync(path + "/list.csv?panel=actions&product=docs"));
        foreach (var wrong in (string[])["/shared/", "/shared/x", path[..^1], path + "/x", path + "/../shares"])
            Assert.InRange((int)(await stranger.GetAsync(wrong)).StatusCode, 401, 404);

        await Click(owner, ".rows button");
        Assert.Equal("This link has ended", await Text(await reader.Open(app, path), "h1"));
    }

    [Fact]
    public async Task It_may_stand_in_a_frame_of_sites_that_are_named()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: ["-frameAncestors", "https://a.example,http://b.example"]);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.Add("Accept", "text/html");
        using var answer = await app.Http.SendAsync(request);
        Assert.Contains("frame-ancestors https://a.example http://b.example;",
            answer.Headers.GetValues("Content-Security-Policy").Single());
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static async Task Fill(AppProcess app)
    {
        object[] events =
        [
            new { action = "view", product = "shop", fingerprint = "a", properties = new { path = "/cart" } },
            new { action = "view", product = "shop", fingerprint = "b", properties = new { path = "/" } },
            new { action = "buy", product = "shop", fingerprint = "b" },
            new { action = "secret", product = "docs", fingerprint = "c", properties = new { path = "/secret" } },
        ];
        foreach (var one in events)
            Assert.Equal(200, (await app.Post(Encoding.UTF8.GetBytes(JsonSerializer.Serialize(one)),
                "application/json")).Status);
        using var note = new HttpRequestMessage(HttpMethod.Put, "/api/annotations?time=2026-11-24&text=secret");
        note.Headers.Authorization = new("Bearer", Key);
        Assert.Equal(200, (await app.Send(note)).Status);
    }
}
