using Microsoft.Extensions.Logging;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// Records the runs of many fingerprints in one transaction, and tells each what became of its run. A run that cannot
/// be recorded is refused alone; the rest of its batch is recorded without it.
/// </summary>
public sealed partial class GroupCommit
{
    private const int FruitlessRoundsMax = 3;

    private readonly IEventLogStorage storage;
    private readonly ISiloLiveness liveness;
    private readonly ILogger<GroupCommit> logger;
    private readonly Batcher<Run> runs;
    private readonly LogThrottle failures = new();
    private int failing; // 1 from a failure that was logged until the next commit

    private readonly Limits limits;

    public GroupCommit(IEventLogStorage storage, ISiloLiveness liveness, Limits limits, ILogger<GroupCommit> logger)
    {
        (this.storage, this.liveness, this.limits, this.logger) = (storage, liveness, limits, logger);
        runs = new(limits.QueueEventsMax, limits.BatchEventsMax, run => run.Weight, Commit);
    }

    /// <summary>Waiting, by <see cref="Event.Weight"/>; those of a transaction under way do not.</summary>
    public int QueuedEvents => runs.QueuedWeight;

    public void Start() => runs.Start(limits.CommitsMax);

    /// <summary>Commits what is queued and takes nothing more.</summary>
    public Task Close() => runs.Close();

    /// <summary>Takes a run, and settles it when its outcome is durable; false where the queue is full.</summary>
    internal bool TryAppend(Run run) => runs.TryAdd(run);

    private async Task Commit(List<Run> batch)
    {
        var answers = new Answers<RecordResult>();
        try
        {
            // A round that fails takes at least one run out, so this ends. The exception: the conflicting row was
            // erased before it could be looked up; then the same batch has another try, but not for ever.
            for (var fruitless = 0; batch.Count > 0 && !await TryCommit(batch, answers);)
            {
                await RefuseConflicting(batch, answers);
                if (batch.RemoveAll(run => run.IsSettled) == 0 && ++fruitless == FruitlessRoundsMax)
                    throw new InvalidOperationException("A batch conflicts with the log, but none of its runs does.");
            }
        }
        catch (EventLogUnavailableException exception)
        {
            if (MayLogFailure(out var more)) LogUnavailable(exception, batch.Count, more);
            SettleOpen(batch, AppendResult.Unavailable, answers);
        }
        catch (CommitUnknownException exception)
        {
            if (MayLogFailure(out var more)) LogUnknown(exception, batch.Count, more);
            SettleOpen(batch, AppendResult.Unknown, answers);
        }
        catch (Exception exception) // whatever it is, the callers must hear of it, and the next batch must have its try
        {
            LogFailed(exception, batch.Count);
            SettleOpen(batch, AppendResult.Unknown, answers);
        }
        answers.CompleteOnPool();
    }

    private async Task<bool> TryCommit(List<Run> batch, Answers<RecordResult> answers)
    {
        var events = new List<RecordedEvent>();
        var deltas = new RollupDeltas();
        var starts = batch.ConvertAll(run => run.Start);
        foreach (var run in batch)
            foreach (var decided in run.Events)
            {
                events.Add(decided);
                deltas.Add(decided);
            }
        _ = liveness.Prove().AsTask(); // one that is about to end is renewed meanwhile
        if (await storage.TryRecordMeasured(events, starts, deltas, batch) is not { } removalEpoch) return false;
        if (Volatile.Read(ref failing) == 1 && Interlocked.Exchange(ref failing, 0) == 1) LogRecordsAgain();
        SettleOpen(batch, new(AppendOutcome.Recorded, [], removalEpoch, await liveness.Prove()), answers);
        return true;
    }

    // Rare: a competing activation, or an id older than its grain remembers. Two reads find whose run it is. Of two
    // runs of one fingerprint in a batch the later is a competitor's: it decided without knowing the first.
    private async Task RefuseConflicting(List<Run> batch, Answers<RecordResult> answers)
    {
        var heads = await storage.ReadHeads([.. batch.Select(run => run.Fingerprint).Distinct()]);
        var seen = new HashSet<string>();
        foreach (var run in batch)
            if (!seen.Add(run.Fingerprint) || run.Start.Follows != heads.GetValueOrDefault(run.Fingerprint))
                run.Settle(AppendResult.Fenced, answers);

        var repeats = (await storage.FindRepeats([.. batch.Where(run => !run.IsSettled).SelectMany(run => run.Events)]))
            .ToLookup(repeat => repeat.Fingerprint);
        if (repeats.Count > 0)
        {
            var proof = await liveness.Prove();
            foreach (var run in batch)
                if (!run.IsSettled && repeats.Contains(run.Fingerprint))
                    run.Settle(new(AppendOutcome.HasRepeats, [.. repeats[run.Fingerprint]], Proof: proof), answers);
        }

        // Something was suppressed: whoever has not read the log has to.
        if (batch.TrueForAll(run => !run.IsSettled))
            foreach (var run in batch)
                if (run.Start.IsUnread) run.Settle(AppendResult.Fenced, answers);
    }

    private bool MayLogFailure(out long heldBack)
    {
        if (!failures.TryPass(out heldBack)) return false;
        Volatile.Write(ref failing, 1);
        return true;
    }

    private static void SettleOpen(List<Run> batch, AppendResult result, Answers<RecordResult> answers)
    {
        foreach (var run in batch)
            if (!run.IsSettled) run.Settle(result, answers);
    }

    [LoggerMessage(LogLevel.Warning,
        "The event log is unavailable; {Runs} runs refused ({More} more failures since the last line)")]
    private partial void LogUnavailable(Exception exception, int runs, long more);

    [LoggerMessage(LogLevel.Warning,
        "The outcome of a commit of {Runs} runs is unknown; their fingerprints step down "
            + "({More} more failures since the last line)")]
    private partial void LogUnknown(Exception exception, int runs, long more);

    [LoggerMessage(LogLevel.Information, "The event log records again")]
    private partial void LogRecordsAgain();

    [LoggerMessage(LogLevel.Error, "A commit of {Runs} runs failed unexpectedly; their fingerprints step down")]
    private partial void LogFailed(Exception exception, int runs);
}
