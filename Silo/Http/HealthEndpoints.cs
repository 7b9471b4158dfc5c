using Microsoft.Extensions.Diagnostics.HealthChecks;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <param name="Status">live, ready, or why it is not ready.</param>
public sealed record HealthReport(string Status);

/// <summary>For supervisors and load balancers.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/health/live", () => new JsonAnswer<HealthReport>(new("live"), HttpJson.Default.HealthReport))
            .WithName("GetLive")
            .WithSummary("Whether the process answers")
            .Produces<HealthReport>();
        routes.MapGet("/health/ready", Ready)
            .WithName("GetReady")
            .WithSummary(
                "Whether this process takes events: its silo is active, it is not draining, the log can be written")
            .Produces<HealthReport>().Produces<HealthReport>(503);
    }

    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder routes) =>
        routes.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new HttpMethodMetadata([HttpMethods.Get]));

    private static async Task<IResult> Ready(HealthCheckService checks, HttpContext context)
    {
        var report = await checks.CheckHealthAsync(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<HealthReport>(new(report.Entries[Readiness.Name].Description!),
            HttpJson.Default.HealthReport,
            report.Status == HealthStatus.Healthy ? 200 : 503);
    }
}

/// <summary>
/// Whether the process can take events. Asks the database at most once a second, however often it is asked itself.
/// </summary>
internal sealed class Readiness(
    SqlStorage storage, IHostApplicationLifetime lifetime, ISiloStatusOracle silo, TimeProvider clock) : IHealthCheck
{
    public const string Name = "ready";

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim checking = new(1);
    private long checkedAt;
    private HealthCheckResult? database;

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context,
        CancellationToken cancellationToken = default)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) return HealthCheckResult.Unhealthy("draining");
        if (silo.CurrentStatus != SiloStatus.Active) return HealthCheckResult.Unhealthy("starting");
        await checking.WaitAsync(cancellationToken);
        try
        {
            if (database is null || clock.GetElapsedTime(checkedAt) > Freshness)
            {
                database = await CheckDatabase();
                checkedAt = clock.GetTimestamp();
            }
            return database.Value;
        }
        finally
        {
            checking.Release();
        }
    }

    private async Task<HealthCheckResult> CheckDatabase()
    {
        try
        {
            await storage.CheckWritable(CancellationToken.None).WaitAsync(Patience);
            return HealthCheckResult.Healthy("ready");
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("the event log cannot be written");
        }
    }
}
