using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Adds appended deltas to the rollups and the visits. Every silo tries; the database lets one at a time. Questions add or
/// merge what is not merged yet, so nothing waits for this and a failed round only leaves more to the next.
/// </summary>
internal sealed partial class RollupMerge(
    IEventLogStorage storage, IVisitStorage visits, Limits limits, ILogger<RollupMerge> logger) : BackgroundService
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
            while (!stopping.IsCancellationRequested
                && await visits.MergeVisits(limits.MergeVisitBatchesMax) == limits.MergeVisitBatchesMax) { }
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            LogSkipped(exception);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Rollups and visits were not merged this time")]
    private partial void LogSkipped(Exception exception);
}
