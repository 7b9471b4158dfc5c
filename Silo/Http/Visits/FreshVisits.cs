using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>
/// Queries visits and dimensions so that every event acknowledged before a query is in its answer: what is not merged
/// yet is merged first. Queries that come at the same time share a merge.
/// </summary>
internal sealed class FreshVisits(SqlStorage storage, Limits limits)
{
    // The wait while another silo merges: as long as a small merge takes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private Task merging = Task.CompletedTask;
    private Task? next;

    private TimeSpan Timeout => TimeSpan.FromSeconds(limits.QuestionSecondsMax);

    /// <summary>Runs a query; refuses if the database does not answer.</summary>
    /// <param name="query">Must stop when it is cancelled.</param>
    /// <param name="cancellation">The client is gone, or the time is up.</param>
    public async Task<Results<JsonAnswer<TAnswer>, Refusal>> Query<T, TAnswer>(
        Func<SqlStorage, CancellationToken, Task<T>> query, Func<T, JsonAnswer<TAnswer>> toAnswer,
        CancellationToken cancellation)
    {
        try
        {
            await Merge().WaitAsync(cancellation); // cancels only the wait: others share the merge
            return toAnswer(await Task.Run(() => query(storage, cancellation), cancellation)); // SQLite's calls block
        }
        catch (Exception exception)
            when (exception is EventLogUnavailableException or CommitUnknownException or TimeoutException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    // A merge that has begun may have missed the caller's events. The one after it will not.
    private Task Merge()
    {
        lock (gate) return next ??= Task.Run(MergeAfterThis);
    }

    private async Task MergeAfterThis()
    {
        Task before;
        lock (gate) before = merging;
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its own callers see its failure
        lock (gate) (merging, next) = (next!, null);
        await MergeAll(storage.ReadVisitDeltas, storage.MergeVisits);
        await MergeAll(storage.ReadDimensionDeltas, storage.MergeDimensions);
    }

    // Runs until the deltas that exist now are merged, by this silo or another. Newer ones need not be.
    private async Task MergeAll(Func<Task<(long Oldest, long Newest)?>> readDeltas, Func<int, Task<int>> merge)
    {
        var deadline = DateTime.UtcNow + Timeout;
        if (await readDeltas() is not { Newest: var newest }) return;
        while (true)
        {
            var merged = await merge(limits.MergeVisitBatchesMax);
            if (merged > 0 && merged < limits.MergeVisitBatchesMax) return; // that was all
            if (await readDeltas() is not { } left || left.Oldest > newest) return;
            if (DateTime.UtcNow > deadline) throw new TimeoutException();
            if (merged == 0) await Task.Delay(Pause);
        }
    }
}
