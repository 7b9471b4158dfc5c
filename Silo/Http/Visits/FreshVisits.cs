using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>
/// Asks the visits so that every event acknowledged before the question is in its answer: what is not merged yet is merged
/// first, and questions that come at once share that merge.
/// </summary>
internal sealed class FreshVisits(SqlStorage storage, Limits limits)
{
    // While another silo merges: as short as a merge of little.
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    private readonly Lock gate = new();
    private Task merging = Task.CompletedTask;
    private Task? next;

    private TimeSpan Patience => TimeSpan.FromSeconds(limits.QuestionSecondsMax);

    /// <summary>The answer to a question, or a refusal where the database has none.</summary>
    /// <param name="question">Stops when it is cancelled.</param>
    /// <param name="answer">From what it came to.</param>
    /// <param name="cancellation">Who asks is gone, or the time is up.</param>
    public async Task<IResult> Ask<T>(
        Func<SqlStorage, CancellationToken, Task<T>> question, Func<T, IResult> answer, CancellationToken cancellation)
    {
        try
        {
            await Merged().WaitAsync(cancellation); // it goes on for others
            return answer(await Task.Run(() => question(storage, cancellation), cancellation)); // since SQLite's calls block
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException or TimeoutException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    // A merge that has begun may have passed by what this caller wants to see. The one after it has not.
    private Task Merged()
    {
        lock (gate) return next ??= Task.Run(MergeAfterThis);
    }

    private async Task MergeAfterThis()
    {
        Task before;
        lock (gate) before = merging;
        await before.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing); // those who asked for it hear of its failure
        lock (gate) (merging, next) = (next!, null);
        await MergeAll();
    }

    // Until the deltas that are there now are gone, by this silo's merges or by another's. New ones do not count.
    private async Task MergeAll()
    {
        var deadline = DateTime.UtcNow + Patience;
        if (await storage.ReadVisitDeltas() is not { Newest: var newest }) return;
        while (true)
        {
            var merged = await storage.MergeVisits(limits.MergeVisitBatchesMax);
            if (merged > 0 && merged < limits.MergeVisitBatchesMax) return; // all that there was
            if (await storage.ReadVisitDeltas() is not { } left || left.Oldest > newest) return;
            if (DateTime.UtcNow > deadline) throw new TimeoutException();
            if (merged == 0) await Task.Delay(Pause);
        }
    }
}
