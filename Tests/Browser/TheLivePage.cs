using System.Globalization;
using System.Text;
using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>The page of events as they come.</summary>
public sealed class TheLivePage(PostgresServer server) : IAsyncDisposable
{
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e";
    private const string Who = ".events > li .who";
    private const int RowsMax = 300;

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task Events_appear_and_what_a_client_wrote_is_text(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        await Post(app, "before");
        var tab = await Open(app, "/live");
        await Shows(tab, "before");
        await Post(app, "ada", "buy");
        await Shows(tab, "ada", "before");
        const string properties = """{"n": 12345678901234567890, "properties": "</bdi><b>"}""";
        Assert.Equal(200, (await app.PostForm($"action={Uri.EscapeDataString(Hostile)}&product=shop&fingerprint="
            + $"{Uri.EscapeDataString(Hostile)}&properties={Uri.EscapeDataString(properties)}")).Status);
        await Shows(tab, Hostile, "ada", "before");
        Assert.Equal([Hostile, "buy", "view"], await Texts(tab, ".events > li .what"));
        Assert.Equal([properties], await Texts(tab, ".events > li pre"));
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('main :is(img, b)').length"));
        var html = await Html(app, "/live"); // as somebody without scripts sees it
        Assert.True(html.IndexOf("ada", StringComparison.Ordinal) < html.IndexOf("before", StringComparison.Ordinal));

        // one action alone
        await Click(tab, ".events > li:nth-child(2) .what");
        Assert.Equal("?product=shop&action=buy", await tab.EvaluateExpressionAsync<string>("location.search"));
        await Live(tab);
        await Shows(tab, "ada");
        await Post(app, "bob");
        await Post(app, "eve", "buy");
        await Shows(tab, "eve", "ada");
        await tab.GoBackAsync();
        await Shows(tab, "eve", "bob", Hostile, "ada", "before");
        reader.AssertNoComplaints();
    }

    [Theory, EachStorage]
    public async Task A_paused_page_keeps_its_rows_and_says_how_many_wait(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new() { ["Limits__LiveAllEventsMax"] = "10000" });
        var tab = await Open(app, "/live");
        await Post(app, "one", properties: """{"a":1}""");
        await Shows(tab, "one");
        await tab.ClickAsync(".events > li summary"); // nobody's unfolded properties run away
        await Says(tab, "paused", "Paused");
        for (var i = 0; i < 3; i++) await Post(app, "next");
        await Eventually.True(async () => await Text(tab, ".stream button") == "Go on (3 wait)", "It does not count.");
        await Shows(tab, "one");
        await tab.ClickAsync(".stream button");
        await Shows(tab, "next", "next", "next", "one");
        Assert.Equal("Pause", await Text(tab, ".stream button"));
        await tab.ClickAsync(".stream button");
        await Fill(app, 2 * RowsMax);
        await Eventually.True(async () => await Text(tab, ".stream button") is var text
            && text == $"Go on ({2 * RowsMax} wait)", () => "It does not count.");
        await tab.ClickAsync(".stream button");
        await Eventually.True(async () => (await Texts(tab, Who)).Length == RowsMax, "There are not as many rows.");
        reader.AssertNoComplaints();
    }

    [Theory, EachStorage]
    public async Task It_says_that_the_server_is_gone_and_goes_on_without_a_gap(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        var port = FreePort.Next();
        var app = await AppProcess.Start(database, port: port);
        var tab = await Open(app, "/live");
        await Post(app, "one");
        await Shows(tab, "one");
        await app.Kill();
        await app.DisposeAsync();
        await Says(tab, "lost", "The connection is lost. Trying again.");
        reader.Forgive();
        await using var again = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), port);
        await Post(again, "two");
        await Shows(tab, "two", "one");
        await Says(tab, "back", "Live again: nothing is missing");

        // Hidden it has no stream, and seen again it has missed nothing.
        await tab.EvaluateExpressionAsync(Hiding("true"));
        await Eventually.True(async () => (await PrometheusText.Scrape(again)).Sum("tally_live_readers") == 0,
            "The stream of a hidden page stays.");
        await Post(again, "three");
        await tab.EvaluateExpressionAsync(Hiding("false"));
        await Post(again, "four");
        await Shows(tab, "four", "three", "two", "one");

        // Away for too long, it says so.
        await tab.EvaluateExpressionAsync(Hiding("true"));
        await Eventually.True(async () => (await PrometheusText.Scrape(again)).Sum("tally_live_readers") == 0,
            "The stream of a hidden page stays.");
        await database.Execute(
            "update feed_watch set until = " + (storage == StorageKind.Sqlite ? "0" : "'-infinity'"));
        await tab.EvaluateExpressionAsync(Hiding("false"));
        await tab.WaitForSelectorAsync(".gap");
        Assert.StartsWith("Events are missing here", await Text(tab, ".gap"), StringComparison.Ordinal);
        await Post(again, "five");
        await Shows(tab, "five", "four", "three", "two", "one");
        reader.Forgive(); // of the requests to a server that was not there
    }

    [Fact]
    public async Task It_says_how_many_it_leaves_out()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new() { ["Limits__LiveAllEventsMax"] = "10" });
        var tab = await Open(app, "/live");
        await Fill(app, 1_000);
        await Eventually.True(async () =>
        {
            var gaps = await Texts(tab, ".gap");
            Assert.All(gaps, gap => Assert.Contains("events are left out here", gap));
            return gaps.Length > 0 && 1_000 == (await Texts(tab, Who)).Length
                + gaps.Sum(gap => int.Parse(
                    gap.Split(' ')[0], NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
        }, "What it shows and what it leaves out are not all.");
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task It_is_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await reader.AssertIsGood(await Open(app, "/live"), "live-empty");
        await Fill(app, 30);
        await Post(app, new string('w', 256), Hostile, $$"""{"text":"{{new string('x', 2_000)}}"}""");
        foreach (var width in (int[])[360, 1280, 2560])
            foreach (var scheme in (string[])["light", "dark"])
            {
                var tab = await Open(app, "/live", width, scheme);
                await tab.WaitForSelectorAsync($"{Who}[href*='www']"); // the last one may come with the stream
                await tab.ClickAsync(".events > li summary");
                await reader.AssertIsGood(tab, $"live-{scheme}");
                await tab.BrowserContext.CloseAsync();
            }
        var german = await Open(app, "/live", language: "de");
        Assert.Equal("Live: Ereignisse erscheinen von selbst", await Text(german, "[role=status]"));
        await reader.AssertIsGood(german, "live-german");
        await german.Keyboard.PressAsync("j");
        Assert.Equal("A", await german.EvaluateExpressionAsync<string>("document.activeElement.tagName"));
    }

    [Fact]
    public async Task It_says_what_is_wrong()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        (await app.Get("/live")).AssertRefused(404, "not_found");
        await Html(app, "/live?product=" + new string('x', 257), 422);
        await Html(app, "/live?action=a%00", 422);
        await Html(app, "/live?product=&action=");
        await database.Execute("alter table feed rename to elsewhere");
        Assert.Contains("No answer in time", await Html(app, "/live", 503));
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private async Task<IPage> Open(AppProcess app, string path, int width = 1280, string scheme = "light",
        string? language = null)
    {
        var tab = await reader.Open(app, path, width, scheme, language);
        await Live(tab);
        return tab;
    }

    private static async Task Live(IPage tab) =>
        await tab.WaitForSelectorAsync("[role=status][data-state=live]");

    private static async Task Says(IPage tab, string state, string text)
    {
        await tab.WaitForSelectorAsync($"[role=status][data-state={state}]");
        Assert.Equal(text, await Text(tab, "[role=status]"));
    }

    private static async Task Shows(IPage tab, params string[] fingerprints)
    {
        string[] shown = [];
        await Eventually.True(async () => (shown = await Texts(tab, Who)).SequenceEqual(fingerprints),
            () => "It shows " + string.Join(", ", shown));
    }

    private static string Hiding(string isHidden) => $$"""
        Object.defineProperty(document, 'hidden', { get: () => {{isHidden}}, configurable: true })
        document.dispatchEvent(new Event('visibilitychange'))
        """;

    private static async Task<string> Html(AppProcess app, string path, int status = 200)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", "text/html");
        using var response = await app.Http.SendAsync(request);
        Assert.Equal(status, (int)response.StatusCode);
        return await response.Content.ReadAsStringAsync();
    }

    private static async Task Post(
        AppProcess app, string fingerprint, string action = "view", string? properties = null) =>
        Assert.Equal(200, (await app.PostForm(
            $"action={Uri.EscapeDataString(action)}&product=shop&fingerprint={fingerprint}"
            + (properties is null ? "" : "&properties=" + Uri.EscapeDataString(properties)))).Status);

    private static async Task Fill(AppProcess app, int events)
    {
        var batch = Enumerable.Range(0, events).Select(i => JsonSerializer.Serialize(new
        {
            action = i % 3 == 0 ? "buy" : "view", product = i % 2 == 0 ? "shop" : "docs",
            fingerprint = $"visitor-{i % 40}", properties = new { path = $"/page/{i}", referrer = "news.example" },
        }));
        Assert.Equal(events, (await app.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
            path: Requests.BatchPath)).Batch.Recorded);
    }
}
