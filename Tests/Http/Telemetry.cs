using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Metrics, traces and the log go to the collector that the standard variables name.</summary>
public sealed class Telemetry(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_collector_gets_metrics_the_log_and_a_trace_from_the_request_to_the_commit(StorageKind storage)
    {
        await using var collector = new OtlpListener();
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, collector.Environment);
        Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
        // the grain is on this silo, so no message is sent
        Assert.Equal(200, (int)(await app.Http.GetAsync("/api/fingerprints/XYZ")).StatusCode);

        await Eventually.True(() => Task.FromResult(
            collector.Received("/v1/metrics", "Tally", "tally.events.accepted", "Microsoft.Orleans", "service.name")),
            "No metrics came.", 60);
        await Eventually.True(() => Task.FromResult(collector.Received("/v1/traces", "POST /api/events")),
            "No span of the request came.", 60);
        await Eventually.True(() => Task.FromResult(collector.Received("/v1/traces", "IFingerprintGrain/Record")),
            "No span of the grain came.", 60);
        await Eventually.True(() => Task.FromResult(collector.Received("/v1/traces", "IFingerprintGrain/View")),
            "No span of the grain came that was called without a message.", 60);
        await Eventually.True(() => Task.FromResult(collector.Received("/v1/traces", "commit", "tally.events")),
            "No span of the commit came.", 60);
        await Eventually.True(() => Task.FromResult(
            collector.Received("/v1/logs", "Events are recorded in ", "no keys are set", "service.name")),
            "No message of the log came.", 60);
        Assert.Equal(0, await app.Terminate());
    }

    [Fact]
    public async Task A_collector_gets_no_signal_that_is_switched_off()
    {
        await using var collector = new OtlpListener();
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database,
            new(collector.Environment) { ["OTEL_LOGS_EXPORTER"] = "none" });
        await Eventually.True(() => Task.FromResult(collector.Received("/v1/metrics", "Tally")),
            "No metrics came.", 60);
        Assert.Equal(0, await app.Terminate()); // sends what is left
        Assert.False(collector.Received("/v1/logs"));
    }

    [Fact]
    public async Task A_collector_that_is_away_is_nobodys_trouble()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database,
            OtlpListener.ExportTo($"http://127.0.0.1:{FreePort.Next()}"));
        for (var i = 0; i < 20; i++)
            Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
        Assert.Equal(20, (await PrometheusText.Scrape(app)).Sum("tally_events_accepted_total"));
        Assert.Equal(0, await app.Terminate());
    }

    [Fact]
    public async Task A_collectors_url_that_is_none_is_a_mistake()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        var (exitCode, _, error) = await AppProcess.Run(["-port", $"{FreePort.Next()}", "-dbUrl", database.Url],
            new() { ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector:sekret" });
        Assert.Equal(2, exitCode);
        Assert.Contains("OTEL_EXPORTER_OTLP_ENDPOINT: expected an http:// or https:// URL", error);
        Assert.DoesNotContain("sekret", error);
    }
}
