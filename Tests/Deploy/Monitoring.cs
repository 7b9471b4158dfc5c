using System.Text.Json;
using System.Text.RegularExpressions;
using Tally.Tests.Harness;

namespace Tally.Tests.Deploy;

/// <summary>The dashboard's and the alerts' queries, asked of a real Prometheus that scrapes two real silos.</summary>
public sealed partial class Monitoring(PostgresServer server)
{
    private const string File = "deploy/monitoring/dashboard.json";
    private const string Bot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    [Fact]
    public async Task Each_panel_has_data_and_each_alert_names_what_the_service_exposes()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2,
            new() { ["APP_BOTS"] = "ignore", ["APP_SILO_PORT"] = "0" });
        await using var prometheus = await Prometheus.Start(Repository.File(AlertRule.File), silos.Ports);
        using var done = new CancellationTokenSource();
        var traffic = Traffic(silos, done.Token);
        try
        {
            foreach (var (panel, query) in Queries())
                await Eventually.True(async () => await prometheus.Count(query) > 0,
                    $"Panel '{panel}' has no data: {query}", 60);
            await Eventually.True(async () => (await prometheus.RuleHealth()).Values.All(health => health == "ok"),
                "Not every alert's rule can be evaluated.", 60);
            foreach (var alert in AlertRule.All) await AssertExposed(prometheus, alert);
        }
        finally
        {
            await done.CancelAsync();
            await traffic;
        }
    }

    [Fact]
    public void The_dashboard_can_be_imported_anywhere()
    {
        using var board = JsonDocument.Parse(System.IO.File.ReadAllText(Repository.File(File)));
        Assert.Equal(JsonValueKind.Null, board.RootElement.GetProperty("id").ValueKind);
        Assert.Equal("tally", board.RootElement.GetProperty("uid").GetString());
        var variables = board.RootElement.GetProperty("templating").GetProperty("list").EnumerateArray().ToList();
        Assert.Contains(variables, variable => variable.GetProperty("name").GetString() == "datasource"
            && variable.GetProperty("type").GetString() == "datasource");
        var panels = board.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(panel => panel.GetProperty("id").GetInt32()).Distinct().Count());
        Assert.All(panels.Where(panel => panel.TryGetProperty("targets", out _)), panel =>
            Assert.Equal("${datasource}", panel.GetProperty("datasource").GetProperty("uid").GetString()));
    }

    private static IEnumerable<(string Panel, string Query)> Queries()
    {
        using var board = JsonDocument.Parse(System.IO.File.ReadAllText(Repository.File(File)));
        return [.. board.RootElement.GetProperty("panels").EnumerateArray()
            .Where(panel => panel.TryGetProperty("targets", out _))
            .SelectMany(panel => panel.GetProperty("targets").EnumerateArray().Select(target => (
                panel.GetProperty("title").GetString()!,
                target.GetProperty("expr").GetString()!.Replace("$__rate_interval", "10s").Replace("$job", ".*"))))];
    }

    // A label's value may not have occurred yet; that it is one is said by the table of metrics.
    private static async Task AssertExposed(Prometheus prometheus, AlertRule alert)
    {
        var names = Selector().Matches(alert.Query);
        Assert.NotEmpty(names);
        foreach (Match selector in names)
        {
            var name = selector.Groups["name"].Value;
            var series = await prometheus.Series(name);
            Assert.True(series.Count > 0, $"{alert.Name}: nothing is called {name}.");
            foreach (Capture label in selector.Groups["label"].Captures)
                Assert.All(series, one => Assert.Contains(label.Value, one.Keys));
            if (alert.Query.Contains("peer)") && name.StartsWith("tally_peer_"))
                Assert.All(series, one => Assert.Contains("peer", one.Keys));
        }
    }

    // Of everything that has a panel, a little all the time.
    private static async Task Traffic(Silos silos, CancellationToken done)
    {
        using var stream = await silos[0].Http.GetAsync("/api/live",
            HttpCompletionOption.ResponseHeadersRead, CancellationToken.None);
        for (var round = 0; !done.IsCancellationRequested; round++)
            foreach (var place in (int[])[0, 1])
            {
                var silo = silos[place];
                for (var visitor = 0; visitor < 20; visitor++)
                    await silo.PostForm($"action=view&product=shop&fingerprint=v{round % 50}-{visitor}");
                await silo.PostForm("action=view&product=shop&fingerprint=v&id=same");
                await silo.PostForm("action=view&product=shop");
                using var bot = new HttpRequestMessage(HttpMethod.Post, "/api/events")
                {
                    Content = new StringContent("action=view&product=shop&fingerprint=bot", System.Text.Encoding.UTF8,
                        "application/x-www-form-urlencoded"),
                };
                bot.Headers.TryAddWithoutValidation("User-Agent", Bot);
                (await silo.Http.SendAsync(bot, CancellationToken.None)).Dispose();
                (await silo.Http.GetAsync($"/api/fingerprints/unknown{round}", CancellationToken.None)).Dispose();
            }
    }

    [GeneratedRegex("""\b(?<name>(tally|http|up)\w*)(\{((?<label>\w+)=~?"[^"]*"(, )?)+\})?(?=[\[\s}]|$)""")]
    private static partial Regex Selector();
}
