using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// PostHog's SDK for browsers, from npm, in a real browser on a page of another origin. Each event sent is counted
/// once.
/// </summary>
public sealed class PostHogTracker(PostgresServer server) : IAsyncLifetime
{
    private const string Key = "of-the-site-0123456789";
    private const int Each = 25;

    private readonly Chromium chromium = new();
    private readonly int port = FreePort.Next();
    private ModuleSite? site;
    private TestDatabase? database;
    private AppProcess? app;

    public async ValueTask InitializeAsync()
    {
        site = await ModuleSite.Start();
        database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await StartTally();
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once_and_nothing_else_fails()
    {
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        var failures = new List<string>();
        tab.Response += (_, one) =>
        {
            if ((int)one.Response.Status >= 400) failures.Add($"{one.Response.Status} {one.Response.Url}");
        };
        tab.PageError += (_, error) => failures.Add(error.Message);
        await tab.GoToAsync(site!.Origin + "/docs?utm_source=mail");
        await tab.EvaluateExpressionAsync($$"""
            import('/node_modules/posthog-js/dist/module.js').then(sdk => {
              window.posthog = sdk.default;
              posthog.init('{{Key}}', {
                api_host: 'http://127.0.0.1:{{port}}', defaults: '2025-05-24', opt_out_useragent_filter: true,
              });
              posthog.identify('u-1', { plan: 'pro' });
              for (let i = 0; i < {{Each}}; i++) posthog.capture('tick', { i, name: 'Käse' });
            })
            """);
        await Counts(2 + Each);
        await app!.Kill();
        await app.DisposeAsync();
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {Each}; i++) posthog.capture('tock', {{ i }})");
        await StartTally();
        var events = await Counts(2 + 2 * Each);

        var view = Assert.Single(events, one => one.Action == "view");
        Assert.Equal(("/docs", "mail", "A page"), (view["path"], view["utm_source"], view["title"]));
        Assert.NotNull(view["screen"]);
        Assert.NotNull(view["language"]);
        var identified = Assert.Single(events, one => one.Action == "$identify");
        Assert.Equal("u-1", identified.Fingerprint);
        Assert.NotNull(identified["$anon_distinct_id"]);
        foreach (var action in (string[])["tick", "tock"])
        {
            var those = events.Where(one => one.Action == action).ToList();
            Assert.Equal(Each, those.Select(one => one["i"]).Distinct().Count());
            Assert.All(those, one => Assert.Equal("u-1", one.Fingerprint));
        }
        Assert.All(events, one => Assert.DoesNotContain(Key, one.Properties));
        Assert.All(events, one => Assert.DoesNotContain("Mozilla", one.Properties));
        Assert.Empty(failures);
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

    private async Task StartTally() => app = await AppProcess.Start(database!,
        new(AppProcess.ClusterOfItsOwn()) { ["APP_WRITE_KEYS"] = $"{Key};products=shop;origins={site!.Origin}" }, port,
        ["-corsOrigins", site.Origin]);

    private async Task<List<TrackedEvent>> Counts(int expected)
    {
        List<TrackedEvent> events = [];
        await Eventually.True(
            async () => (events = await new Shared(app!, database!).Events("shop")).Count >= expected,
            () => $"{events.Count} of {expected} events are there: "
                + string.Join(' ', events.CountBy(one => one.Action)), seconds: 90);
        Assert.Equal(expected, events.Count);
        return events;
    }
}
