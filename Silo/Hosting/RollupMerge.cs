using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Adds appended deltas to the rollups, the visits and the dimensions. Every silo tries; the database admits one at a
/// time. Queries include or merge what is not merged yet. Each second keeps the deltas of a busy silo (about a hundred
/// batches a second, of a few rows each) within a thousand rows.
/// </summary>
internal sealed partial class RollupMerge(
    SqlStorage storage, Limits limits, ILogger<RollupMerge> logger) : BackgroundRounds
{
    protected override async Task Round(CancellationToken stopping)
    {
        await InSteps(storage.MergeRollups, limits.MergeDeltasMax, stopping);
        await InSteps(storage.MergeVisits, limits.MergeVisitBatchesMax, stopping);
        await InSteps(storage.MergeDimensions, limits.MergeVisitBatchesMax, stopping);
    }

    [LoggerMessage(LogLevel.Warning, "Rollups and visits were not merged this time")]
    protected override partial void LogSkipped(Exception exception);
}
