using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// Decide, append, fold, perhaps snapshot. Events that arrive while a run is being committed gather and become the
/// next run, so there is one run under way at most, and what was decided never waits behind a failure.
/// </summary>
[Reentrant]
public sealed partial class FingerprintGrain(
    GroupCommit log, History history, Snapshots snapshots, ISiloLiveness liveness, Limits limits,
    ILogger<FingerprintGrain> logger)
    : Grain, IFingerprintGrain
{
    private sealed record Waiting(Event Event, TaskCompletionSource<RecordResult> Done)
    {
        public Activity? Caller { get; } = Activity.Current;
    }

    // What an event that repeats the one in flight waits for is its very commit.
    private readonly Dictionary<Guid, Waiting> waiting = [];
    private List<Waiting> gathered = [];
    private RememberedEvents remembered = new(limits.RememberedEventsMax);
    private FingerprintState state = new();
    private GrainState<FingerprintState>? stored;
    private long snapshotSequence;
    private Task? loading;
    private Task snapshotting = Task.CompletedTask;
    private bool appending;
    private bool awaitingTurn;
    private bool leaving;
    private bool steppedDown;

    private string Fingerprint => FingerprintKey.Fingerprint(this.GetPrimaryKeyString());

    public async ValueTask<RecordResult> Record(Event @event)
    {
        if (!await TryLoad()) return new(RecordOutcome.Unavailable, 0);
        if (steppedDown) return new(RecordOutcome.SteppedDown, 0);
        if (remembered.Find(@event) is { } known)
            return new(known.SameContent ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, known.Sequence);
        if (waiting.TryGetValue(@event.Id, out var first))
        {
            var result = await first.Done.Task;
            // The first was refused for its own content: what that says of this one is nothing.
            return result.Outcome is RecordOutcome.IdConflict or RecordOutcome.TooManyCounters && !@event.HasContentOf(first.Event)
                ? await Record(@event)
                : AsRepeat(result, first.Event, @event);
        }

        var mine = new Waiting(@event, new(TaskCreationOptions.RunContinuationsAsynchronously));
        waiting.Add(@event.Id, mine);
        gathered.Add(mine);
        if (!appending) _ = AppendGathered(); // for everyone who comes: its end is nobody's to wait for
        return await mine.Done.Task;
    }

    public async ValueTask<ViewResult> View()
    {
        if (!await TryLoad() || !await liveness.Prove()) return new(ViewOutcome.Unavailable, null);
        if (steppedDown) return new(ViewOutcome.SteppedDown, null);
        if (state.Total > 0) return new(ViewOutcome.Known, state.ToView(Fingerprint));
        if (waiting.Count == 0) DeactivateOnIdle();
        return new(ViewOutcome.Unknown, null);
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(1);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(-1);
        leaving = true;
        await snapshotting;
        if (!steppedDown && state.Sequence - snapshotSequence >= limits.SnapshotOnDeactivationEventsMin)
            await WriteSnapshot();
    }

    private async Task<bool> TryLoad()
    {
        loading ??= Load();
        try
        {
            await loading;
            return true;
        }
        catch (EventLogUnavailableException)
        {
            // The next caller gets a fresh try. Nothing was learnt, so nothing is kept in memory for it.
            loading = null;
            DeactivateOnIdle();
            return false;
        }
    }

    private async Task Load()
    {
        var loaded = await history.Load(Fingerprint, this.GetGrainId());
        (state, stored, snapshotSequence) = (loaded.State, loaded.Stored, loaded.SnapshotSequence);
        foreach (var recorded in loaded.Newest) remembered.Add(recorded);
    }

    private async Task AppendGathered()
    {
        appending = true;
        try
        {
            while (gathered.Count > 0 && !steppedDown) await Append(TakeRun());
        }
        catch (Exception exception) // a broken invariant: what this activation believes is worth nothing
        {
            LogBroken(exception, state.Sequence);
            StepDown();
            foreach (var one in waiting.Values.ToList()) Answer(one, new(RecordOutcome.Unknown, 0));
            gathered.Clear();
        }
        foreach (var one in gathered) Answer(one, new(RecordOutcome.SteppedDown, 0));
        gathered.Clear();
        appending = false;
    }

    private List<Waiting> TakeRun()
    {
        var run = gathered;
        gathered = [];
        var max = Math.Min(limits.RunEventsMax, limits.QueueEventsMax); // a larger run would never find room
        if (run.Count > max)
        {
            gathered = run[max..];
            run = run[..max];
        }
        return run;
    }

    private async Task Append(List<Waiting> run)
    {
        var decisions = new Decisions(Fingerprint, state, limits.CountersMax);
        var decided = new List<RecordedEvent>(run.Count);
        foreach (var one in run)
        {
            if (decisions.Next(one.Event) is { } next) decided.Add(next);
            else Answer(one, new(RecordOutcome.TooManyCounters, 0));
        }
        if (decided.Count == 0) return;

        Activity.Current = run[0].Caller; // what runs on is the first run's context
        var result = await log.Append(decided);
        switch (result.Outcome)
        {
            case AppendOutcome.Recorded:
                foreach (var recorded in decided) Fold(recorded);
                SnapshotIfDue();
                break;
            case AppendOutcome.HasRepeats:
                AnswerRepeats(decided, result.Repeats);
                break;
            case AppendOutcome.Overloaded:
                AnswerAll(decided, RecordOutcome.Overloaded);
                break;
            case AppendOutcome.Unavailable:
                AnswerAll(decided, RecordOutcome.Unavailable);
                break;
            case AppendOutcome.Fenced:
                StepDownFenced();
                AnswerAll(decided, RecordOutcome.SteppedDown);
                break;
            default:
                StepDown();
                AnswerAll(decided, RecordOutcome.Unknown);
                break;
        }
    }

    private void Fold(RecordedEvent recorded)
    {
        state.Apply(recorded);
        remembered.Add(recorded);
        Answer(waiting[recorded.Event.Id], new(RecordOutcome.Recorded, recorded.Sequence));
    }

    // Old repeats get their first receipt; what was decided beside them has a new sequence, so it is decided again.
    private void AnswerRepeats(List<RecordedEvent> decided, IReadOnlyList<RecordedEvent> repeats)
    {
        var firstById = repeats.ToDictionary(repeat => repeat.Event.Id);
        var again = new List<Waiting>();
        foreach (var recorded in decided)
        {
            var one = waiting[recorded.Event.Id];
            if (firstById.TryGetValue(recorded.Event.Id, out var first))
                Answer(one, AsRepeat(new(RecordOutcome.Recorded, first.Sequence), first.Event, one.Event));
            else again.Add(one);
        }
        gathered.InsertRange(0, again);
    }

    private void AnswerAll(List<RecordedEvent> decided, RecordOutcome outcome)
    {
        foreach (var recorded in decided) Answer(waiting[recorded.Event.Id], new(outcome, 0));
    }

    // This activation no longer knows where the log stands. Everyone is sent to its successor, which will read it.
    private void StepDown()
    {
        steppedDown = true;
        DeactivateOnIdle();
    }

    private void StepDownFenced()
    {
        TallyMetrics.Fences.Add(1);
        LogFenced(state.Sequence);
        StepDown();
    }

    private void Answer(Waiting one, RecordResult result)
    {
        waiting.Remove(one.Event.Id);
        one.Done.SetResult(result);
    }

    private static RecordResult AsRepeat(RecordResult first, Event firstEvent, Event repeat) =>
        first.Outcome is not (RecordOutcome.Recorded or RecordOutcome.Duplicate) ? first
        : new(repeat.HasContentOf(firstEvent) ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, first.Sequence);

    private void SnapshotIfDue()
    {
        if (!awaitingTurn && state.Sequence - snapshotSequence >= limits.SnapshotEventsMax) _ = SnapshotInTurn();
    }

    private async Task SnapshotInTurn()
    {
        awaitingTurn = true;
        var mine = await snapshots.TakeTurn();
        awaitingTurn = false;
        if (mine && !steppedDown && !leaving) await (snapshotting = WriteSnapshot());
    }

    // Never fails an event: the log has it. A write that fails leaves a longer tail for the next one.
    private async Task WriteSnapshot()
    {
        try
        {
            stored ??= await snapshots.Read(this.GetGrainId());
            stored.State = state.Copy();
            var sequence = stored.State.Sequence;
            await snapshots.Write(this.GetGrainId(), stored);
            snapshotSequence = sequence;
        }
        catch (InconsistentStateException)
        {
            StepDownFenced();
        }
        catch (Exception exception) // the storage's own kinds of failure, which Grains does not know
        {
            TallyMetrics.SnapshotsFailed.Add(1);
            if (snapshots.Failures.TryPass(out var more)) LogSnapshotFailed(exception, more);
        }
    }

    [LoggerMessage(LogLevel.Information, "Another activation wrote after sequence {Sequence}; this one steps down")]
    private partial void LogFenced(long sequence);

    [LoggerMessage(LogLevel.Error, "An activation at sequence {Sequence} broke an invariant and steps down")]
    private partial void LogBroken(Exception exception, long sequence);

    [LoggerMessage(LogLevel.Warning, "A snapshot could not be written; the log still has every event ({More} more since the last line)")]
    private partial void LogSnapshotFailed(Exception exception, long more);
}
