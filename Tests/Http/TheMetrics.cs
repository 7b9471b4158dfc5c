using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// What the service measures about itself, as Prometheus scrapes it. Each test has its own program, which counts from
/// 0.
/// </summary>
public sealed class TheMetrics(PostgresServer server)
{
    private const string Marked = "marked-7f3a"; // in every text that a client chooses here

    [Theory, EachStorage]
    public async Task They_count_what_was_accepted_repeated_and_refused(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        for (var i = 0; i < 3; i++) Assert.Equal(200, (await app.PostForm(Form("a", $"id-{i}"))).Status);
        for (var i = 0; i < 2; i++) Assert.True((await app.PostForm(Form("a", "id-0"))).Duplicate);
        (await app.PostForm(Form("b", "id-0"))).AssertRefused(409, "id_conflict", "id");
        (await app.PostForm("action=view&product=k8s")).AssertRefused(422, "missing_field", "fingerprint");
        (await app.Get($"/api/fingerprints/unknown-{Marked}")).AssertRefused(404, "unknown_fingerprint", "fingerprint");

        await Eventually.True(async () =>
        {
            var metrics = await PrometheusText.Scrape(app);
            return metrics.Sum("tally_events_accepted_total") == 3
                && metrics.Sum("tally_events_repeated_total") == 2
                && metrics.Sum("tally_events_refused_total", "reason=\"id_conflict\"") == 1
                && metrics.Sum("tally_events_refused_total", "reason=\"missing_field\"") == 1
                && metrics.Sum("tally_events_refused_total") == 2
                && metrics.Sum("tally_commit_events_sum") == 3
                && metrics.Sum("tally_commit_duration_seconds_count", "outcome=\"recorded\"") is >= 1 and <= 3
                && metrics.Sum("tally_load_fingerprints_sum") + metrics.Sum("tally_loads_spared_total") == 2
                && metrics.Sum("tally_fingerprints_resident") == 1; // the unknown one has left
        }, "The metrics are not what was posted.");
    }

    [Theory, EachStorage]
    public async Task They_show_every_part_of_the_process_and_nothing_that_a_client_chose(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        await app.PostForm(Form("a", "id"));
        await app.Get($"/api/fingerprints/unknown-{Marked}");
        await app.Get($"/{Marked}");

        var metrics = await PrometheusText.Scrape(app);
        Assert.DoesNotContain(metrics.Labels, labels => labels.Contains(Marked, StringComparison.Ordinal));
        string[] parts = ["tally_", "orleans_", "http_server_", "kestrel_", "dotnet_",
            .. storage == StorageKind.Postgres ? (string[])["db_client_"] : []];
        Assert.All(parts,
            part => Assert.Contains(metrics.Names, name => name.StartsWith(part, StringComparison.Ordinal)));
        Assert.Contains("tally_commit_queue", metrics.Names);
        Assert.Contains("tally_load_queue", metrics.Names);
        Assert.DoesNotContain(metrics.Labels, labels => labels.Contains("Host=", StringComparison.OrdinalIgnoreCase));
    }

    [Fact]
    public async Task The_load_balancer_does_not_hand_them_out()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await using var balancer = await LoadBalancer.Start(("127.0.0.1", app.Port));
        foreach (var path in (string[])["/metrics", "/METRICS/", "/%6detrics", "/metrics?x",
                     "/api/../metrics", "/api/fingerprints//../../../metrics"])
        {
            using var wire = await HttpWire.Connect(balancer.Port);
            Assert.Equal(403, (await wire!.Ask(HttpWire.GetOf(path)))?.Status);
        }
        using (var wire = await HttpWire.Connect(balancer.Port)) // a fingerprint may have this name
            Assert.Equal(404, (await wire!.Ask(HttpWire.GetOf("/api/fingerprints/metrics")))?.Status);
    }

    private static string Form(string action, string id) =>
        $"action={action}-{Marked}&product=product-{Marked}&fingerprint=visitor-{Marked}&id={id}-{Marked}";
}
