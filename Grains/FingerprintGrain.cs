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
    GroupCommit log, History history, Snapshots snapshots, Erasures erasures, ISiloLiveness liveness, Residency residency,
    WaitingForNews waiting, Limits limits, ILogger<FingerprintGrain> logger)
    : Grain, IFingerprintGrain
{
    // Null while it is not needed: most visitors have one event, and nothing is kept for a second.
    private EventsInFlight? inFlight;
    private Watch? watch;
    private RememberedEvents remembered = new(limits.RememberedEventsMax);
    private FingerprintState state = new();
    private GrainState<FingerprintState>? stored;
    private long snapshotSequence;
    private Resident? resident;
    private Task? loading;
    private Task snapshotting = Task.CompletedTask;
    private TaskCompletionSource? idle; // somebody waits for the run under way
    private bool appending;
    private bool snapshotDue;
    private bool leaving;
    private bool steppedDown;
    private bool suppressed;

    private string Fingerprint => FingerprintKey.Fingerprint(this.GetPrimaryKeyString());

    public async ValueTask<RecordResult> Record(Event @event)
    {
        if (await WhyNotNow() is { } refused) return new(refused, 0);
        var result = Join(@event);
        AppendIfIdle();
        return await result;
    }

    public async ValueTask<RecordResult[]> RecordAll(Event[] events)
    {
        if (await WhyNotNow() is { } refused) return [.. Enumerable.Repeat(new RecordResult(refused, 0), events.Length)];
        // All join before the first is waited for: together they are one run.
        var joined = new Task<RecordResult>[events.Length];
        for (var i = 0; i < events.Length; i++) joined[i] = Join(events[i]);
        AppendIfIdle();
        return await Task.WhenAll(joined);
    }

    private async ValueTask<RecordOutcome?> WhyNotNow() =>
        !await TryLoad() ? RecordOutcome.Unavailable
        : steppedDown ? RecordOutcome.SteppedDown
        : suppressed ? RecordOutcome.Suppressed : null;

    // A known id has its answer; one under way waits for that commit; any other event gathers for the next run.
    private Task<RecordResult> Join(Event @event)
    {
        if (remembered.Find(@event) is { } known)
            return Task.FromResult(new RecordResult(known.SameContent ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, known.Sequence));
        inFlight ??= new();
        return inFlight.Find(@event.Id) is { } first ? JoinFirst(first, @event) : inFlight.Add(@event).Done;
    }

    private async Task<RecordResult> JoinFirst(Waiting first, Event repeat)
    {
        var result = await first.Done;
        // The first was refused for its own content: what that says of this one is nothing.
        return result.Outcome is RecordOutcome.IdConflict or RecordOutcome.TooManyCounters && !repeat.HasContentOf(first.Event)
            ? await Record(repeat)
            : AsRepeat(result, first.Event, repeat);
    }

    private void AppendIfIdle()
    {
        // For everyone who comes: its end is nobody's to wait for.
        if (!appending && inFlight is { HasGathered: true }) _ = AppendGathered(inFlight);
    }

    public async ValueTask<ViewResult> View()
    {
        if (!await TryLoad() || !await liveness.Prove()) return new(ViewOutcome.Unavailable, null);
        if (steppedDown) return new(ViewOutcome.SteppedDown, null);
        if (state.Total > 0) return new(ViewOutcome.Known, state.ToView(Fingerprint));
        if (inFlight is null or { IsEmpty: true } && watch is not { Waiting: > 0 }) DeactivateOnIdle();
        return new(ViewOutcome.Unknown, null);
    }

    public async ValueTask<NewsResult> News(HistoryPosition? known)
    {
        if (!await TryLoad()) return new(ViewOutcome.Unavailable, default, null);
        IReadOnlyList<RecordedEvent>? run = null;
        if (known is { } position && position.Agrees(Head) && !steppedDown) run = await waiting.For(Watch());
        // What was committed while somebody waited speaks for itself; that nothing was, only a silo that still has its grains may say.
        if (run is null && !await liveness.Prove()) return new(ViewOutcome.Unavailable, default, null);
        if (steppedDown) return new(ViewOutcome.SteppedDown, default, null);
        return new(state.Total > 0 ? ViewOutcome.Known : ViewOutcome.Unknown, Head,
            run?.Count <= limits.LiveAnswerEventsMax ? [.. run.Select(recorded => recorded.Event)] : null); // an array: it is sent
    }

    private HistoryPosition Head => new(state.Sequence, remembered.NewestId);

    private Watch Watch()
    {
        if (watch is null) resident!.Watched(watch = new());
        return watch;
    }

    public ValueTask<EraseResult> Erase(bool suppress) => EraseIf(_ => true, suppress);

    // An event that is on its way was sent just now, whatever its own time says.
    public ValueTask<EraseResult> Forget(DateTime before) =>
        EraseIf(state => state.Total > 0 && state.LastSeen < before && inFlight is null or { IsEmpty: true }, suppress: false);

    private async ValueTask<EraseResult> EraseIf(Func<FingerprintState, bool> condition, bool suppress)
    {
        if (!await TryLoad()) return new(EraseOutcome.Unavailable, null);
        if (steppedDown) return new(EraseOutcome.SteppedDown, null);
        if (!condition(state)) return new(EraseOutcome.Kept, null);
        SendAway(); // from here on everyone goes to the successor, which begins with what this leaves
        try
        {
            if (appending) await (idle = new(TaskCreationOptions.RunContinuationsAsynchronously)).Task;
            await snapshotting;
            return await erasures.Erase(Fingerprint, state.Sequence, suppress) is { } removed
                ? new(EraseOutcome.Erased, removed with { Suppressed = suppress || suppressed }) : new(EraseOutcome.SteppedDown, null);
        }
        catch (EventLogUnavailableException)
        {
            return new(EraseOutcome.Unavailable, null);
        }
        catch (CommitUnknownException)
        {
            return new(EraseOutcome.Unknown, null);
        }
        finally
        {
            DeactivateOnIdle();
        }
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(1);
        resident = residency.Enter(GrainContext);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(-1);
        resident?.Leave();
        leaving = true;
        await snapshotting;
        if (!steppedDown && state.Sequence - snapshotSequence >= limits.SnapshotOnDeactivationEventsMin)
            await WriteSnapshot();
    }

    private async Task<bool> TryLoad()
    {
        resident!.Use();
        var load = loading ??= Load();
        try
        {
            await load;
            loading = Task.CompletedTask; // nothing of the load is kept
            return true;
        }
        catch (EventLogUnavailableException)
        {
            // The next caller gets a fresh try. Nothing was learnt, so nothing is kept in memory for it.
            if (loading == load) loading = null;
            DeactivateOnIdle();
            return false;
        }
    }

    private async Task Load()
    {
        var loaded = await history.Load(Fingerprint, this.GetGrainId());
        (state, stored, snapshotSequence, suppressed) = (loaded.State, loaded.Stored, loaded.SnapshotSequence, loaded.Suppressed);
        foreach (var recorded in loaded.Newest) remembered.Add(recorded);
    }

    // One method, and no run waits in a list of its own: of a post's cost, each task that waits for another is a percent.
    private async Task AppendGathered(EventsInFlight events)
    {
        appending = true;
        try
        {
            while (events.HasGathered && !steppedDown)
            {
                var caller = events.NextCaller;
                if (Decide(events) is { Count: > 0 } decided) Settle(events, decided, await log.Append(decided, caller));
            }
        }
        catch (Exception exception) // a broken invariant: what this activation believes is worth nothing
        {
            LogBroken(exception, state.Sequence);
            StepDown();
            events.AnswerAll(new(RecordOutcome.Unknown, 0));
        }
        events.AnswerGathered(new(RecordOutcome.SteppedDown, 0));
        appending = false;
        idle?.SetResult();
        if (state.Total <= 1) inFlight = null;
    }

    private List<RecordedEvent> Decide(EventsInFlight events)
    {
        var decisions = new Decisions(Fingerprint, state, limits.CountersMax);
        var runMax = Math.Min(limits.RunEventsMax, limits.QueueEventsMax); // a larger run would never find room
        var decided = new List<RecordedEvent>(Math.Min(events.Gathered, runMax));
        while (events.HasGathered && decided.Count < runMax)
        {
            var one = events.TakeNext();
            if (decisions.Next(one.Event) is { } next) decided.Add(next);
            else events.Answer(one, new(RecordOutcome.TooManyCounters, 0));
        }
        return decided;
    }

    private void Settle(EventsInFlight events, List<RecordedEvent> decided, AppendResult result)
    {
        switch (result.Outcome)
        {
            case AppendOutcome.Recorded:
                foreach (var recorded in decided) Fold(events, recorded);
                watch?.Tell(decided);
                SnapshotIfDue();
                break;
            case AppendOutcome.HasRepeats:
                AnswerRepeats(events, decided, result.Repeats);
                break;
            case AppendOutcome.Overloaded:
                AnswerRun(events, decided, RecordOutcome.Overloaded);
                break;
            case AppendOutcome.Unavailable:
                AnswerRun(events, decided, RecordOutcome.Unavailable);
                break;
            case AppendOutcome.Fenced:
                StepDownFenced();
                AnswerRun(events, decided, RecordOutcome.SteppedDown);
                break;
            default:
                StepDown();
                AnswerRun(events, decided, RecordOutcome.Unknown);
                break;
        }
    }

    private void Fold(EventsInFlight events, RecordedEvent recorded)
    {
        state.Apply(recorded);
        remembered.Add(recorded);
        events.Answer(events[recorded.Event.Id], new(RecordOutcome.Recorded, recorded.Sequence));
    }

    // Old repeats get their first receipt; what was decided beside them has a new sequence, so it is decided again.
    private static void AnswerRepeats(
        EventsInFlight events, List<RecordedEvent> decided, IReadOnlyList<RecordedEvent> repeats)
    {
        var firstById = repeats.ToDictionary(repeat => repeat.Event.Id);
        var again = new List<Waiting>();
        foreach (var recorded in decided)
        {
            var one = events[recorded.Event.Id];
            if (firstById.TryGetValue(recorded.Event.Id, out var first))
                events.Answer(one, AsRepeat(new(RecordOutcome.Recorded, first.Sequence), first.Event, one.Event));
            else again.Add(one);
        }
        events.GatherAgain(again);
    }

    private static void AnswerRun(EventsInFlight events, List<RecordedEvent> decided, RecordOutcome outcome)
    {
        foreach (var recorded in decided) events.Answer(events[recorded.Event.Id], new(outcome, 0));
    }

    // This activation no longer knows where the log stands. Everyone is sent to its successor, which will read it.
    private void StepDown()
    {
        SendAway();
        DeactivateOnIdle();
    }

    private void SendAway()
    {
        steppedDown = true;
        watch?.End();
    }

    private void StepDownFenced()
    {
        TallyMetrics.Fences.Add(1);
        LogFenced(state.Sequence);
        StepDown();
    }

    private static RecordResult AsRepeat(RecordResult first, Event firstEvent, Event repeat) =>
        first.Outcome is not (RecordOutcome.Recorded or RecordOutcome.Duplicate) ? first
        : new(repeat.HasContentOf(firstEvent) ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, first.Sequence);

    private void SnapshotIfDue()
    {
        if (!snapshotDue && state.Sequence - snapshotSequence >= limits.SnapshotEventsMax) _ = SnapshotInTurn();
    }

    private async Task SnapshotInTurn()
    {
        snapshotDue = true; // until it is written: two writes at once would take each other for another activation's
        if (await snapshots.TakeTurn() && !steppedDown && !leaving) await (snapshotting = WriteSnapshot());
        snapshotDue = false;
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
