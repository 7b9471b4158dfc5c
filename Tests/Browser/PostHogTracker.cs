using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>
/// PostHog's SDK for browsers, from npm, in a real browser on a page of another origin. Each event sent is counted
/// once.
/// </summary>
public sealed class PostHogTracker(PostgresServer server) : Stage(server)
{
    private const string Key = "of-the-site-0123456789";
    private const int Each = 25;

    protected override string WriteKey => $"{Key};products=shop";

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once_and_nothing_else_fails()
    {
        var tab = await (await NewVisitor()).NewPageAsync();
        var failures = new List<string>();
        tab.Response += (_, one) =>
        {
            if ((int)one.Response.Status >= 400) failures.Add($"{one.Response.Status} {one.Response.Url}");
        };
        tab.PageError += (_, error) => failures.Add(error.Message);
        await tab.GoToAsync(Url("docs?utm_source=mail"));
        await tab.EvaluateExpressionAsync($$"""
            import('/node_modules/posthog-js/dist/module.js').then(sdk => {
              window.posthog = sdk.default;
              posthog.init('{{Key}}',
                { api_host: '{{Address}}', defaults: '2025-05-24', opt_out_useragent_filter: true });
              posthog.identify('u-1', { plan: 'pro' });
              for (let i = 0; i < {{Each}}; i++) posthog.capture('tick', { i, name: 'Käse' });
            })
            """);
        await Counts("shop", 2 + Each);
        await KillTally();
        await tab.EvaluateExpressionAsync($"for (let i = 0; i < {Each}; i++) posthog.capture('tock', {{ i }})");
        await StartTally();
        var events = await Counts("shop", 2 + 2 * Each);

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
}
