using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>An event's way from its caller into the log and back, from top to bottom.</summary>
public sealed partial class Fingerprint
{
    private Task<RecordResult> Record(Event @event, bool isCompared)
    {
        Task<RecordResult>? result = null;
        RecordResult? known;
        Answers<RecordResult>? answers = null;
        lock (gate)
        {
            known = FindAnswer(@event);
            if (known is null && (result = WaitForFirst(@event, isCompared)) is null)
            {
                result = (pending ??= new()).Add(new(@event)).Done;
                if (!isAppending) AppendPending(answers = new());
            }
        }
        answers?.Complete();
        return result ?? Confirm(known!.Value);
    }

    // What is recorded is told only with a proof that no other silo answers for this fingerprint: what that one has
    // loaded need not contain it. Sent again, it is recorded there. Not under the lock.
    private async Task<RecordResult> Confirm(RecordResult known) =>
        known.Outcome == RecordOutcome.Duplicate && !IsProvenBy(await services.Liveness.Prove())
            ? new(RecordOutcome.Unknown, 0) : known;

    // Null where the log has to say it.
    private RecordResult? FindAnswer(Event @event) =>
        IsClosed ? new(RecordOutcome.SteppedDown, 0)
        : suppressed ? new(RecordOutcome.Suppressed, 0)
        : remembered.Find(@event) is { SameText: true } first ? new(RecordOutcome.Duplicate, first.Sequence)
        : null;

    // Of an event whose id is known, or on its way into the log; null of any other.
    private Task<RecordResult>? WaitForFirst(Event @event, bool isCompared) =>
        // SQLite's calls block
        !isCompared && remembered.Find(@event) is { SameText: false } ? Task.Run(() => CompareWithLog(@event))
        : pending?.Find(@event.Id) is { } first ? CompareWithPending(first, @event)
        : null;

    // A known id with other text. In a run it would make the whole batch, which is others' too, commit a second time.
    private async Task<RecordResult> CompareWithLog(Event repeat)
    {
        try
        {
            return await services.History.FindFirst(name, repeat) is { } first
                ? await Confirm(CompareContent(new(RecordOutcome.Recorded, first.Sequence), first.Event, repeat))
                : await Record(repeat, isCompared: true); // it has left the log meanwhile
        }
        catch (EventLogUnavailableException)
        {
            return new(RecordOutcome.Unavailable, 0);
        }
    }

    private async Task<RecordResult> CompareWithPending(PendingEvent first, Event repeat)
    {
        var result = await first.Done;
        // The first was refused for its own content, which says nothing of a repeat with other content.
        return result.Outcome is RecordOutcome.IdConflict or RecordOutcome.TooManyCounters
            && !repeat.HasContentOf(first.Event)
            ? await Record(repeat, isCompared: false)
            : CompareContent(result, first.Event, repeat);
    }

    private static RecordResult CompareContent(RecordResult first, Event firstEvent, Event repeat) =>
        first.Outcome is not (RecordOutcome.Recorded or RecordOutcome.Duplicate) ? first
        : new(repeat.HasContentOf(firstEvent) ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, first.Sequence);

    private static async Task SetWhenKnown(Task<RecordResult> repeat, PendingResults waiting, int place)
    {
        var result = new RecordResult(RecordOutcome.Unknown, 0); // whatever happens, the caller must hear of it
        try
        {
            result = await repeat;
        }
        finally
        {
            waiting.Set(place, result);
        }
    }

    // Until a run is on its way, or no event is left.
    private void AppendPending(Answers<RecordResult> answers)
    {
        isAppending = false;
        while (pending is { HasNext: true } && stage < Stage.Lost && !isAppending)
        {
            var caller = pending.NextCaller;
            var decided = DecideRun(pending, answers);
            if (decided.Count == 0) continue;
            var run = new Run(this, decided, removalEpoch, caller, isUnread);
            isAppending = services.Log.TryAppend(run);
            if (!isAppending) AnswerRun(run, RecordOutcome.Overloaded, answers);
        }
        if (isAppending) return;
        pending?.AnswerNext(new(RecordOutcome.SteppedDown, 0), answers);
        if (state.Total <= 1) pending = null;
        idle?.SetResult();
        idle = null;
    }

    private List<DecidedEvent> DecideRun(PendingEvents events, Answers<RecordResult> answers)
    {
        var decisions = new Decisions(name, state, services.Limits.CountersMax, services.Calendar,
            services.Rules.Current);
        // A run larger than the queue would rarely find room.
        var weightMax = Math.Min(services.Limits.RunEventsMax, services.Limits.QueueEventsMax);
        var decided = new List<DecidedEvent>(Math.Min(events.NextCount, weightMax));
        for (var weight = 0; events.HasNext && weight < weightMax;)
        {
            var one = events.TakeNext();
            if (decisions.Next(one.Event) is { } next) decided.Add(next);
            else events.Answer(one.Event.Id, new(RecordOutcome.TooManyCounters, 0), answers);
            weight += one.Event.Weight;
        }
        return decided;
    }

    void IRunOwner.Settle(Run run, AppendResult result, Answers<RecordResult> answers)
    {
        lock (gate)
        {
            try
            {
                Settle(run, result, answers);
                AppendPending(answers);
            }
            catch (Exception exception) // a broken invariant: what it believes is worth nothing
            {
                LogBroken(services.Logger, exception, state.Sequence);
                StepDown();
                pending!.AnswerAll(new(RecordOutcome.Unknown, 0), answers);
                AppendPending(answers);
            }
        }
    }

    private void Settle(Run run, AppendResult result, Answers<RecordResult> answers)
    {
        switch (result.Outcome)
        {
            case AppendOutcome.Recorded:
                removalEpoch = result.RemovalEpoch;
                if (isUnread) TallyMetrics.LoadsSpared.Add(1);
                isUnread = false;
                if (run.Start.Follows == 0) services.Known.Add(name);
                foreach (var decided in run.Events) Fold(decided, IsProvenBy(result.Proof), answers);
                holder.Advanced(state.Sequence);
                break;
            case AppendOutcome.HasRepeats:
                AnswerRepeats(run, result, answers);
                break;
            case AppendOutcome.Unavailable:
                AnswerRun(run, RecordOutcome.Unavailable, answers);
                break;
            case AppendOutcome.Fenced:
                if (isUnread) StepDown(); // the hint was wrong
                else StepDownFenced();
                AnswerRun(run, RecordOutcome.SteppedDown, answers);
                break;
            default:
                StepDown();
                AnswerRun(run, RecordOutcome.Unknown, answers);
                break;
        }
    }

    private void Fold(RecordedEvent recorded, bool isProven, Answers<RecordResult> answers)
    {
        state.Apply(recorded, services.Calendar);
        remembered.Add(recorded);
        pending!.Answer(recorded.Event.Id,
            isProven ? new(RecordOutcome.Recorded, recorded.Sequence) : new(RecordOutcome.Unknown, 0), answers);
    }

    // Old repeats get their first's receipt. The others of the run get new sequences, so they are decided again.
    private void AnswerRepeats(Run run, AppendResult result, Answers<RecordResult> answers)
    {
        var firstById = result.Repeats.ToDictionary(repeat => repeat.Event.Id);
        var again = new List<PendingEvent>();
        foreach (var decided in run.Events)
        {
            var one = decided.Event;
            if (firstById.TryGetValue(one.Id, out var first))
                pending!.Answer(one.Id, IsProvenBy(result.Proof)
                    ? CompareContent(new(RecordOutcome.Recorded, first.Sequence), first.Event, one)
                    : new(RecordOutcome.Unknown, 0), answers);
            else again.Add(pending!.Find(one.Id)!);
        }
        pending!.PutFirst(again);
    }

    private void AnswerRun(Run run, RecordOutcome outcome, Answers<RecordResult> answers)
    {
        foreach (var decided in run.Events) pending!.Answer(decided.Event.Id, new(outcome, 0), answers);
    }
}
