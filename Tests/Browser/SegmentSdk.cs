using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Segment's SDK for browsers, from npm, in a real browser on a page of another origin. Each message sent is counted
/// once.
/// </summary>
public sealed class SegmentSdk(PostgresServer server) : Stage(server)
{
    private const string Sdk = "node_modules/@segment/analytics-next/dist/umd/index.js";

    [Theory]
    [InlineData("{}")]
    [InlineData("{ integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 7, timeout: 100 } } } } }")]
    public async Task A_server_that_dies_and_comes_back_has_every_message_once(string options)
    {
        const int each = 25;
        var tab = await Load(options);
        await tab.EvaluateExpressionAsync("""
            analytics.page('Docs', { price: 'Käse' });
            analytics.identify('u-1', { plan: 'pro' });
            analytics.group('g-1', { seats: 3 });
            analytics.alias('u-2', 'u-1');
            analytics.screen('Home');
            """);
        await Counts("shop", 5);
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {each}; i++) analytics.track('tick', {{ i }})");
        await Reaches("shop", 6);
        await KillTally();
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {each}; i++) analytics.track('tock', {{ i }})");
        await StartTally();
        var events = await Counts("shop", 5 + 2 * each);
        Assert.Equal(each, events.Where(e => e.Action == "tick").Select(e => e.Properties).Distinct().Count());
        Assert.Equal(each, events.Where(e => e.Action == "tock").Select(e => e.Properties).Distinct().Count());
        Assert.Equal([await tab.EvaluateExpressionAsync<string>("analytics.instance.user().anonymousId()")],
            events.Select(e => e.Fingerprint).Distinct());
        Assert.Equal("""{"seats":3,"userId":"u-1","groupId":"g-1"}""",
            Assert.Single(events, e => e.Action == "group").Properties);
        Assert.Contains("\"price\":\"Käse\"", Assert.Single(events, e => e.Action == "page").Properties);
    }

    [Fact]
    public async Task A_message_that_is_refused_is_told_to_the_page()
    {
        var tab = await Load("{}");
        await tab.EvaluateExpressionAsync("""
            window.failures = [];
            analytics.on('error', error => failures.push(error.code + ' ' + error.ctx.event.event));
            analytics.track('large', { text: 'x'.repeat(40000) });
            analytics.track('fine');
            """);
        await Counts("shop", 1);
        await Eventually.True(async () => (await tab.EvaluateExpressionAsync<string[]>("failures")).Length > 0,
            "The page knows of nothing.");
        Assert.Equal(["delivery_failure large"], await tab.EvaluateExpressionAsync<string[]>("failures"));
    }

    private async Task<IPage> Load(string options)
    {
        var tab = await OpenTab(await NewVisitor(), "docs");
        await tab.AddScriptTagAsync(new AddTagOptions { Path = Path.Combine(NodePackages.Folder, Sdk) });
        await tab.EvaluateExpressionAsync(
            $"window.analytics = AnalyticsNext.AnalyticsBrowser.load({{ writeKey: 'shop', cdnURL: '{Address}' }}, {options})");
        return tab;
    }
}
