using System.Globalization;
using System.Text.Json;
using Deque.AxeCore.Commons;
using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Somebody who looks at Tally's pages in a real browser. Whatever the browser complains of is kept: errors, what the
/// page's policy forbids, and requests to anywhere else.
/// </summary>
public sealed class PageReader : IAsyncDisposable
{
    // WCAG 2.2 AA, and what the tool's makers take for good practice.
    private static readonly string[] Rules =
        ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];

    private static readonly string Axe = new BundledAxeScriptProvider().GetScript();

    private readonly Chromium chromium = new();
    private readonly List<string> complaints = [];

    public async Task<IPage> Open(AppProcess app, string path, int width = 1280, string scheme = "light",
        string? language = null)
    {
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.SetViewportAsync(new() { Width = width, Height = 900 });
        await tab.EmulateMediaFeaturesAsync([new() { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);
        if (language is not null) await tab.SetExtraHttpHeadersAsync(new() { ["Accept-Language"] = language });
        tab.Console += (_, said) => Complain(said.Message.Text);
        tab.PageError += (_, error) => Complain(error.Message);
        tab.Request += (_, asked) =>
        {
            var url = asked.Request.Url;
            if (url.StartsWith("data:", StringComparison.Ordinal)) return; // the browser's own, as a calendar's sign
            if (!url.StartsWith(Address(app), StringComparison.Ordinal)) Complain(url);
        };
        await tab.GoToAsync(Address(app) + path);
        return tab;
    }

    /// <summary>The browser has complained of nothing so far.</summary>
    public void AssertNoComplaints()
    {
        lock (complaints) Assert.Empty(complaints);
    }

    /// <summary>Forgets the complaints that are meant to be, as of a server that was killed.</summary>
    public void Forgive()
    {
        lock (complaints) complaints.Clear();
    }

    /// <summary>
    /// The page is for everyone: axe finds nothing, nothing is wider than the window, and the browser has complained of
    /// nothing. A picture is kept for people to look at.
    /// </summary>
    public async Task AssertIsGood(IPage tab, string picture)
    {
        await tab.EvaluateExpressionAsync(Axe);
        var found = await tab.EvaluateFunctionAsync<string>(
            "async tags => JSON.stringify((await axe.run(document, { runOnly: tags })).violations"
            + ".map(one => ({ id: one.id, help: one.help, at: one.nodes.map(node => node.html).slice(0, 3) })))",
            (object)Rules);
        Assert.True(found == "[]", $"{tab.Url}: {found}");
        var width = tab.Viewport!.Width;
        Assert.InRange(await tab.EvaluateExpressionAsync<int>("document.documentElement.scrollWidth"), 1, width);
        await tab.ScreenshotAsync(Path.Combine(AppContext.BaseDirectory, $"{picture}-{width}.png"),
            new() { FullPage = true });
        AssertNoComplaints();
    }

    /// <summary>Opens a page in the usual widths, dark and light, and looks at each.</summary>
    public async Task AssertIsGoodEverywhere(AppProcess app, string path, string picture)
    {
        foreach (var width in (int[])[360, 1280, 2560])
            foreach (var scheme in (string[])["light", "dark"])
            {
                var tab = await Open(app, path, width, scheme);
                await AssertIsGood(tab, $"{picture}-{scheme}");
                await tab.BrowserContext.CloseAsync();
            }
    }

    /// <summary>Clicks what leads to another page. It is found by its place in the page, not on the screen.</summary>
    public static async Task Click(IPage tab, string selector) =>
        await Task.WhenAll(tab.WaitForNavigationAsync(),
            tab.EvaluateFunctionAsync("selector => document.querySelector(selector).click()", selector));

    /// <summary>The page believes that a minute has passed, so that it brings itself up to date.</summary>
    public static Task PassAMinute(IPage tab) =>
        tab.EvaluateExpressionAsync("Date.now = (now => () => now() + 60_000)(Date.now)");

    public static Task<string> Text(IPage tab, string selector) =>
        tab.EvaluateFunctionAsync<string>("selector => document.querySelector(selector).textContent", selector);

    public static Task<string[]> Texts(IPage tab, string selector) => tab.EvaluateFunctionAsync<string[]>(
        "selector => [...document.querySelectorAll(selector)].map(found => found.textContent.trim())", selector);

    /// <summary>A number of the API as an American reader sees it.</summary>
    public static string Number(JsonElement number) => number.GetInt64().ToString("N0", CultureInfo.InvariantCulture);

    public static string Address(AppProcess app) => $"http://127.0.0.1:{app.Port}";

    public ValueTask DisposeAsync() => chromium.DisposeAsync();

    private void Complain(string of)
    {
        lock (complaints) complaints.Add(of);
    }
}
