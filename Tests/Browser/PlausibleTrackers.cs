using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Plausible's trackers from npm, in a real browser on a page of another origin. They send nothing again, so a server
/// that is there has each event once.
/// </summary>
public sealed class PlausibleTrackers(PostgresServer server) : Stage(server)
{
    private const int Each = 25;

    protected override string WriteKey => "of-the-site/0123456789+";
    protected override string[] Flags => ["-fingerprints=server"];

    private string Endpoint => $"{Address}/api/event?writeKey={Uri.EscapeDataString(WriteKey)}";

    [Fact]
    public async Task The_official_tracker_counts_views_goals_and_engagement()
    {
        var tab = await OpenTab(await NewVisitor(), "docs?utm_source=mail");
        await tab.EvaluateExpressionAsync($$"""
            window.done = import('/node_modules/@plausible-analytics/tracker/plausible.js').then(async sdk => {
              sdk.init({ domain: 'official', endpoint: '{{Endpoint}}', captureOnLocalhost: true });
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
        var tab = await OpenTab(await NewVisitor(), "docs");
        // It appends its path to the address: here that becomes a parameter that nobody reads.
        await tab.EvaluateExpressionAsync($$"""
            window.done = import('/node_modules/plausible-tracker/build/module/index.js').then(async sdk => {
              const plausible = sdk.default({ domain: 'older', apiHost: '{{Endpoint}}&', trackLocalhost: true });
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

    // Whether the page was looked at, a headless browser decides.
    protected override async Task<List<TrackedEvent>> Events(string product) =>
        [.. (await base.Events(product)).Where(one => one.Action != "engagement")];
}
