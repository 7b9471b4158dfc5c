using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>Queries visits and dimensions after a merge.</summary>
internal sealed class FreshVisits(SqlStorage storage, Limits limits) : SharedMerge(limits)
{
    private readonly int batchesMax = limits.MergeVisitBatchesMax;

    /// <summary>Runs a query; refuses if the database does not answer.</summary>
    /// <param name="query">Must stop when it is cancelled.</param>
    /// <param name="cancellation">The client is gone, or the time is up.</param>
    public async Task<Results<JsonAnswer<TAnswer>, Refusal>> Query<T, TAnswer>(
        Func<SqlStorage, CancellationToken, Task<T>> query, Func<T, JsonAnswer<TAnswer>> toAnswer,
        CancellationToken cancellation)
    {
        try
        {
            await Merge(cancellation);
            return toAnswer(await Task.Run(() => query(storage, cancellation), cancellation)); // SQLite's calls block
        }
        catch (Exception exception)
            when (exception is EventLogUnavailableException or CommitUnknownException or TimeoutException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    protected override async Task MergeAll()
    {
        await MergeAll(storage.ReadVisitDeltas, storage.MergeVisits, batchesMax);
        await MergeAll(storage.ReadDimensionDeltas, storage.MergeDimensions, batchesMax);
    }
}
