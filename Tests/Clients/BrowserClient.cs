using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Clients;

/// <summary>
/// The client from npm, tally-client, in a real browser on a page of another origin. Each event tracked is counted
/// once.
/// </summary>
public sealed class BrowserClient(PostgresServer server) : Stage(server)
{
    private const string Key = "of-the-site/0123456789+";
    private const int Each = 150;

    protected override string WriteKey => $"{Key};products=shop";

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once()
    {
        var tab = await Open(await NewVisitor(), "batchDelay: 5, batchEventsMax: 10");
        await Track(tab, "tick", Each);
        await Reaches("shop", 1);
        await KillTally();
        await Track(tab, "tock", Each);
        await StartTally();
        var events = await Counts("shop", 2 * Each);
        foreach (var action in (string[])["tick", "tock"])
            Assert.Equal(Each, events.Where(one => one.Action == action).Select(one => one["i"]).Distinct().Count());
        // The script tag would know the same visitor.
        Assert.Equal([await tab.EvaluateExpressionAsync<string>("localStorage.tally")],
            events.Select(one => one.Fingerprint).Distinct());
        await Keeps(tab, 0);
        Assert.Equal($"{2 * Each} 0 0 0", await Figures(tab));
    }

    [Fact]
    public async Task What_is_tracked_offline_is_sent_when_the_browser_is_online()
    {
        var tab = await Open(await NewVisitor(), "batchDelay: 5, retryDelay: 3_600_000, retryDelayMax: 3_600_000");
        await tab.SetOfflineModeAsync(true);
        await Track(tab, "view", 5);
        await Eventually.True(() => tab.EvaluateExpressionAsync<bool>("problems.length > 0"), "It does not try.");
        await Keeps(tab, 5);
        await tab.SetOfflineModeAsync(false);
        // A browser may say that it is online before it is. That try fails; the next one would come in an hour.
        await Eventually.True(async () => await tab.EvaluateExpressionAsync<bool>(
            "problems.length > 1 && dispatchEvent(new Event('online')), problems.length = 1, !tally.figures.waiting"),
            "It does not try when it is online.");
        Assert.Equal(5, (await Counts("shop", 5)).Select(one => one["i"]).Distinct().Count());
        await Keeps(tab, 0);
    }

    [Fact]
    public async Task What_waits_when_the_page_is_left_goes_with_it()
    {
        var visitor = await NewVisitor();
        var tab = await Open(visitor, "batchDelay: 3_600_000");
        await Track(tab, "view", 5);
        await tab.GoToAsync("about:blank");
        Assert.Equal(5, (await Counts("shop", 5)).Select(one => one["i"]).Distinct().Count());
        // The page did not see the answer, so the next one sends them again.
        tab = await Open(visitor, "batchDelay: 5");
        await Keeps(tab, 0);
        Assert.Equal("5 0 0 0", await Figures(tab));
        await Counts("shop", 5);
    }

    [Fact]
    public async Task What_a_closed_page_could_not_send_the_next_one_sends()
    {
        var visitor = await NewVisitor();
        var tab = await Open(visitor, "batchDelay: 5");
        await KillTally();
        await Track(tab, "view", 5);
        await Keeps(tab, 5);
        await tab.CloseAsync();
        await StartTally();
        await Open(visitor, "batchDelay: 5");
        Assert.Equal(5, (await Counts("shop", 5)).Select(one => one["i"]).Distinct().Count());
    }

    [Theory, InlineData("doNotTrack", "'1'"), InlineData("globalPrivacyControl", "true")]
    public async Task A_visitor_who_asks_not_to_be_tracked_leaves_nothing(string signal, string value)
    {
        var visitor = await NewVisitor();
        var tab = await visitor.NewPageAsync();
        await tab.EvaluateExpressionOnNewDocumentAsync(
            $"Object.defineProperty(navigator, '{signal}', {{ value: {value} }})");
        await Open(tab, "batchDelay: 5");
        Assert.False(await tab.EvaluateExpressionAsync<bool>("tally.track('view')"));
        await tab.EvaluateExpressionAsync("tally.close()");
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("localStorage.length"));
        Assert.Empty(await Events("shop"));
    }

    [Fact]
    public async Task A_refused_key_is_told_and_nothing_is_kept()
    {
        var tab = await Open(await NewVisitor(), "batchDelay: 5, key: 'another-0123456789abcdef'");
        await tab.EvaluateExpressionAsync("tally.track('view', { id: 'v-1' })");
        await tab.EvaluateExpressionAsync("tally.flush()");
        Assert.Equal("401 unknown_key v-1", await tab.EvaluateExpressionAsync<string>(
            "refusals.map(one => `${one.status} ${one.reason} ${one.id}`).join()"));
        await Keeps(tab, 0);
        Assert.Equal("0 1 0 0", await Figures(tab));
    }

    [Fact]
    public async Task Whatever_the_page_gives_it_never_throws()
    {
        var tab = await Open(await NewVisitor(), "batchDelay: 5");
        var answers = await tab.EvaluateExpressionAsync<string>("""
            (() => {
              const circular = {};
              circular.self = circular;
              const broken = () => { throw new Error('broken'); };
              return [
                () => tally.track('bigint', { properties: { n: 10n } }),
                () => tally.track('circular', { properties: circular }),
                () => tally.track('getter', { properties: { get n() { return broken(); } } }),
                () => tally.track('list', { properties: [1] }), () => tally.track('time', { timestamp: 'yesterday' }),
                () => tally.track('large', { properties: { text: 'x'.repeat(70_000) } }),
                () => tally.track('fine', { properties: null, fingerprint: null, id: '' }),
              ].map(call => { try { return call(); } catch (error) { return `${call}: ${error}`; } }).join();
            })()
            """);
        Assert.Equal("false,false,false,false,false,false,true", answers);
        await tab.EvaluateExpressionAsync("tally.flush()");
        Assert.Equal("fine", Assert.Single(await Counts("shop", 1)).Action);
        Assert.Equal("1 6 0 0", await Figures(tab));
    }

    protected override async Task<Website> StartSite() => await Website.WithModules(await ClientPackages.NodeFolder());

    private async Task<IPage> Open(IBrowserContext visitor, string settings)
    {
        var tab = await visitor.NewPageAsync();
        await Open(tab, settings);
        return tab;
    }

    private async Task Open(IPage tab, string settings)
    {
        await tab.GoToAsync(Url("docs"));
        await tab.EvaluateExpressionAsync($$"""
            import('/node_modules/tally-client/browser.js').then(({ Tally }) => {
              window.refusals = [];
              window.problems = [];
              window.tally = new Tally({
                address: '{{Address}}', product: 'shop', key: '{{Key}}', retryDelay: 50, retryDelayMax: 200,
                onRefused: one => refusals.push(one), onProblem: one => problems.push(one),
                {{settings}},
              });
            })
            """);
    }

    private static Task Track(IPage tab, string action, int count) => tab.EvaluateExpressionAsync(
        $"for (let i = 0; i < {count}; i++) tally.track('{action}', {{ properties: {{ i, name: 'Käse' }} }})");

    private static Task<string> Figures(IPage tab) => tab.EvaluateExpressionAsync<string>(
        "['recorded', 'refused', 'dropped', 'waiting'].map(name => tally.figures[name]).join(' ')");

    private static async Task Keeps(IPage tab, int events)
    {
        var kept = -1;
        await Eventually.True(async () => (kept = await tab.EvaluateExpressionAsync<int>(
            "Object.keys(localStorage).filter(name => name.startsWith('tally-client ')).length")) == events,
            () => $"{kept} events are kept, not {events}.");
    }
}
