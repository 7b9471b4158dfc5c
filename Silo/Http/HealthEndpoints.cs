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
            .WithSummary("Whether this process takes events: its silo is active, it is not draining, the log can be written")
            .Produces<HealthReport>().Produces<HealthReport>(503);
    }

    public static IEndpointConventionBuilder MapMetrics(this IEndpointRouteBuilder routes) =>
        routes.MapPrometheusScrapingEndpoint("/metrics").WithMetadata(new HttpMethodMetadata([HttpMethods.Get]));

    private static async Task<IResult> Ready(Readiness readiness, HttpContext context)
    {
        var status = await readiness.Status(context.RequestAborted);
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<HealthReport>(new(status), HttpJson.Default.HealthReport,
            status == Readiness.Ready ? 200 : 503);
    }
}

/// <summary>Says whether the process can take events. Asks the database at most once a second, whoever asks this.</summary>
internal sealed class Readiness(
    SqlStorage storage, IHostApplicationLifetime lifetime, ISiloStatusOracle silo, TimeProvider clock)
{
    public const string Ready = "ready";

    private static readonly TimeSpan Freshness = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim checking = new(1);
    private long checkedAt;
    private string? databaseStatus;

    public async Task<string> Status(CancellationToken cancellation)
    {
        if (lifetime.ApplicationStopping.IsCancellationRequested) return "draining";
        if (silo.CurrentStatus != SiloStatus.Active) return "starting";
        await checking.WaitAsync(cancellation);
        try
        {
            if (databaseStatus is null || clock.GetElapsedTime(checkedAt) > Freshness)
            {
                databaseStatus = await CheckDatabase();
                checkedAt = clock.GetTimestamp();
            }
            return databaseStatus;
        }
        finally
        {
            checking.Release();
        }
    }

    private async Task<string> CheckDatabase()
    {
        try
        {
            await storage.CheckWritable(CancellationToken.None).WaitAsync(Patience);
            return Ready;
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or TimeoutException)
        {
            return "the event log cannot be written";
        }
    }
}
