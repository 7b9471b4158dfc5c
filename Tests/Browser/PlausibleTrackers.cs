using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Plausible's trackers from npm, in a real browser on a page of another origin. They send nothing again, so a server
/// that is there has each event once.
/// </summary>
public sealed class PlausibleTrackers(PostgresServer server) : IAsyncLifetime
{
    private const string Key = "of-the-site/0123456789+";
    private const int Each = 25;

    private readonly Chromium chromium = new();
    private ModuleSite? site;
    private TestDatabase? database;
    private AppProcess? app;

    public async ValueTask InitializeAsync()
    {
        site = await ModuleSite.Start();
        database = await TestDatabase.Create(StorageKind.Sqlite, server);
        app = await AppProcess.Start(database, new() { ["APP_WRITE_KEYS"] = $"{Key};origins={site.Origin}" },
            flags: ["-fingerprints=server", "-corsOrigins", site.Origin]);
    }

    [Fact]
    public async Task The_official_tracker_counts_views_goals_and_engagement()
    {
        var tab = await OpenTab("/docs?utm_source=mail");
        await tab.EvaluateExpressionAsync($$"""
            window.done = import('/node_modules/@plausible-analytics/tracker/plausible.js').then(async sdk => {
              const endpoint = '{{Url}}/api/event?writeKey={{EscapedKey}}';
              sdk.init({ domain: 'official', endpoint, captureOnLocalhost: true });
              const sent = [];
              const goal = { revenue: { currency: 'EUR', amount: 1.5 }, interactive: false };
              for (let i = 0; i < {{Each}}; i++) sent.push(new Promise(done =>
                sdk.track('buy', { ...goal, props: { i, name: 'Käse' }, callback: done })));
              const statuses = (await Promise.all(sent)).map(answer => answer.status);
              history.pushState({}, '', '/next');
              return [...new Set(statuses)].join();
            })
            """);
        Assert.Equal("202", await tab.EvaluateExpressionAsync<string>("window.done"));
        var events = await Counts("official", 2 + Each);
        Assert.Equal(["/docs", "/next"], events.Where(one => one.Action == "view").Select(one => one["path"]).Order());
        Assert.Equal("mail", events.First(one => one is { Action: "view" } && one["path"] == "/docs")["utm_source"]);
        var bought = events.Where(one => one.Action == "buy").ToList();
        Assert.Equal(Each, bought.Select(one => one["i"]).Distinct().Count());
        Assert.All(bought, one => Assert.Equal(("Käse", "False"), (one["name"], one["interactive"])));
        Assert.Single(events.Select(one => one.Fingerprint).Distinct());
        await tab.CloseAsync(); // says how long the page was looked at, if at all
    }

    [Fact]
    public async Task The_older_tracker_counts_views_and_goals()
    {
        var tab = await OpenTab("/docs");
        // It appends its path to the address: here that becomes a parameter that nobody reads.
        await tab.EvaluateExpressionAsync($$"""
            window.done = import('/node_modules/plausible-tracker/build/module/index.js').then(async sdk => {
              const apiHost = '{{Url}}/api/event?writeKey={{EscapedKey}}&';
              const plausible = sdk.default({ domain: 'older', apiHost, trackLocalhost: true });
              plausible.trackPageview();
              const sent = [];
              for (let i = 0; i < {{Each}}; i++)
                sent.push(new Promise(done => plausible.trackEvent('buy', { props: { i }, callback: () => done(1) })));
              await Promise.all(sent);
              return 'done';
            })
            """);
        Assert.Equal("done", await tab.EvaluateExpressionAsync<string>("window.done"));
        var events = await Counts("older", 1 + Each);
        Assert.Equal("/docs", Assert.Single(events, one => one.Action == "view")["path"]);
        Assert.Equal(Each, events.Where(one => one.Action == "buy").Select(one => one["i"]).Distinct().Count());
    }

    public async ValueTask DisposeAsync()
    {
        await chromium.DisposeAsync();
        if (app is not null) await app.DisposeAsync();
        if (database is not null)
        {
            await AppProcess.AssertVerifies(database);
            await database.DisposeAsync();
        }
        if (site is not null) await site.DisposeAsync();
    }

    private string Url => $"http://127.0.0.1:{app!.Port}";

    private static string EscapedKey => Uri.EscapeDataString(Key);

    private async Task<IPage> OpenTab(string path)
    {
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.GoToAsync(site!.Origin + path);
        return tab;
    }

    // Whether the page was looked at, a headless browser decides.
    private async Task<List<TrackedEvent>> Counts(string product, int expected)
    {
        List<TrackedEvent> events = [];
        await Eventually.True(async () => (events = await Events(product)).Count >= expected,
            () => $"{events.Count} of {expected} events are there.", seconds: 60);
        Assert.Equal(expected, events.Count);
        return events;
    }

    private async Task<List<TrackedEvent>> Events(string product) =>
        [.. (await new Shared(app!, database!).Events(product)).Where(one => one.Action != "engagement")];
}
