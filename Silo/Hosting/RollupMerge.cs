using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Hosting;

/// <summary>
/// Adds appended deltas to the rollups. Every silo tries; the database lets one at a time. Questions add what is
/// not merged yet, so nothing waits for this and a failed round only leaves more to the next.
/// </summary>
internal sealed partial class RollupMerge(IEventLogStorage storage, Limits limits, ILogger<RollupMerge> logger) : BackgroundService
{
    // Keeps the deltas of a busy silo, about 50 batches of a few rows a second, within some thousand rows.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await MergeAll(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task MergeAll(CancellationToken stopping)
    {
        try
        {
            while (!stopping.IsCancellationRequested && await storage.MergeRollups(limits.MergeDeltasMax) == limits.MergeDeltasMax) { }
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            LogSkipped(exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Rollups were not merged this time")]
    private partial void LogSkipped(Exception exception);
}
