using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Adds appended deltas to the rollups, the visits and the dimensions. Every silo tries; the database admits one at a
/// time. Queries include or merge what is not merged yet, so nothing waits for this, and a failed round only leaves
/// more to the next.
/// </summary>
internal sealed partial class RollupMerge(
    SqlStorage storage, Limits limits, ILogger<RollupMerge> logger) : BackgroundService
{
    // Keeps the deltas of a busy silo (about a hundred batches a second, of a few rows each) within a thousand rows.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

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
            await InSteps(() => storage.MergeRollups(limits.MergeDeltasMax), limits.MergeDeltasMax, stopping);
            await InSteps(() => storage.MergeVisits(limits.MergeVisitBatchesMax), limits.MergeVisitBatchesMax,
                stopping);
            await InSteps(() => storage.MergeDimensions(limits.MergeVisitBatchesMax), limits.MergeVisitBatchesMax,
                stopping);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            LogSkipped(exception);
        }
    }

    // Rests between two steps for as long as one took: events come first on the database's processors.
    private static async Task InSteps(Func<Task<int>> merge, int limit, CancellationToken stopping)
    {
        for (var begun = Stopwatch.GetTimestamp(); await merge() == limit; begun = Stopwatch.GetTimestamp())
            await Task.Delay(Stopwatch.GetElapsedTime(begun), stopping);
    }

    [LoggerMessage(LogLevel.Warning, "Rollups and visits were not merged this time")]
    private partial void LogSkipped(Exception exception);
}
