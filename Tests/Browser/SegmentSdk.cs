using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// Segment's SDK for browsers, from npm, in a real browser on a page of another origin. Each message sent is counted
/// once.
/// </summary>
public sealed class SegmentSdk(PostgresServer server) : IAsyncLifetime
{
    private const string Sdk = "node_modules/@segment/analytics-next/dist/umd/index.js";

    private readonly Chromium chromium = new();
    private readonly int port = FreePort.Next();
    private TestDatabase? database;
    private AppProcess? app;

    public async ValueTask InitializeAsync()
    {
        await NodePackages.Ready();
        database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await StartTally();
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{ integrations: { 'Segment.io': { deliveryStrategy: { strategy: 'batching', config: { size: 7, timeout: 100 } } } } }")]
    public async Task A_server_that_dies_and_comes_back_has_every_message_once(string options)
    {
        const int each = 25;
        var tab = await OpenTab(options);
        await tab.EvaluateExpressionAsync("""
            analytics.page('Docs', { price: 'Käse' });
            analytics.identify('u-1', { plan: 'pro' });
            analytics.group('g-1', { seats: 3 });
            analytics.alias('u-2', 'u-1');
            analytics.screen('Home');
            """);
        await Counts(5);
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {each}; i++) analytics.track('tick', {{ i }})");
        await Eventually.True(async () => (await Events()).Count > 5, "Nothing is recorded.");
        await app!.Kill();
        await app.DisposeAsync();
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {each}; i++) analytics.track('tock', {{ i }})");
        await StartTally();
        var events = await Counts(5 + 2 * each);
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
        var tab = await OpenTab("{}");
        await tab.EvaluateExpressionAsync("""
            window.failures = [];
            analytics.on('error', error => failures.push(error.code + ' ' + error.ctx.event.event));
            analytics.track('large', { text: 'x'.repeat(40000) });
            analytics.track('fine');
            """);
        await Counts(1);
        await Eventually.True(async () => (await tab.EvaluateExpressionAsync<string[]>("failures")).Length > 0,
            "The page knows of nothing.");
        Assert.Equal(["delivery_failure large"], await tab.EvaluateExpressionAsync<string[]>("failures"));
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
    }

    // The page is Tally's own under another host name, so it has another origin.
    private async Task StartTally() =>
        app = await AppProcess.Start(database!, port: port, flags: ["-corsOrigins", $"http://localhost:{port}"]);

    private async Task<IPage> OpenTab(string options)
    {
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.GoToAsync($"http://localhost:{port}/health/live");
        await tab.AddScriptTagAsync(new AddTagOptions { Path = Path.Combine(NodePackages.Folder, Sdk) });
        await tab.EvaluateExpressionAsync(
            $"window.analytics = AnalyticsNext.AnalyticsBrowser.load({{ writeKey: 'shop', cdnURL: 'http://127.0.0.1:{port}' }}, {options})");
        return tab;
    }

    private async Task<List<Logged>> Counts(int expected)
    {
        List<Logged> events = [];
        await Eventually.True(async () => (events = await Events()).Count >= expected,
            () => $"{events.Count} of {expected} events are there.", seconds: 90);
        Assert.Equal(expected, events.Count);
        return events;
    }

    private Task<List<Logged>> Events() =>
        database!.Query("select action, fingerprint, properties from events where product = 'shop'",
        row => new Logged(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2)));

    private sealed record Logged(string Action, string Fingerprint, string? Properties);
}
