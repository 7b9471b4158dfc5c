using Tally.Contracts;

namespace Tally.Silo.Http.Visits;

/// <summary>
/// Merges what is not merged yet before a question, so that every event acknowledged before it is in its answer.
/// Questions that come at the same time share a merge.
/// </summary>
internal abstract class SharedMerge(Limits limits)
{
    // The wait while another silo merges: as long as a small merge takes.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private Task merging = Task.CompletedTask;
    private Task? next;

    private TimeSpan Timeout => TimeSpan.FromSeconds(limits.QuestionSecondsMax);

    /// <param name="cancellation">Ends only the wait: others share the merge.</param>
    /// <exception cref="TimeoutException">It takes longer than a question may.</exception>
    public Task Merge(CancellationToken cancellation)
    {
        // A merge that has begun may have missed the caller's events. The one after it will not.
        lock (gate) return (next ??= Task.Run(MergeAfterThis, CancellationToken.None)).WaitAsync(cancellation);
    }

    private async Task MergeAfterThis()
    {
        Task before;
        lock (gate) before = merging;
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // its own callers see its failure
        lock (gate) (merging, next) = (next!, null);
        await MergeAll();
    }

    protected abstract Task MergeAll();

    /// <summary>
    /// Runs until the deltas that exist now are merged, by this silo or another. Newer ones need not be.
    /// </summary>
    protected async Task MergeAll(
        Func<Task<(long Oldest, long Newest)?>> readDeltas, Func<int, Task<int>> merge, int limit)
    {
        var deadline = DateTime.UtcNow + Timeout;
        if (await readDeltas() is not { Newest: var newest }) return;
        while (true)
        {
            var merged = await merge(limit);
            if (merged > 0 && merged < limit) return; // that was all
            if (await readDeltas() is not { } left || left.Oldest > newest) return;
            if (DateTime.UtcNow > deadline) throw new TimeoutException();
            if (merged == 0) await Task.Delay(Pause);
        }
    }
}
