using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// Decide, append, fold, perhaps snapshot. Events that arrive while a run is being committed gather and become the
/// next run, so there is one run under way at most, and what was decided never waits behind a failure. What comes after a commit
/// is done by the commit itself, for all of its grains in one go: of a post's cost, each task that waits for another is a percent.
/// </summary>
public sealed partial class FingerprintGrain
{
    // Null while it is not needed: most visitors have one event, and nothing is kept for a second.
    private EventsInFlight? inFlight;
    private TaskCompletionSource? idle; // somebody waits for the run under way
    private bool appending;

    private bool HasEventsInFlight => inFlight is { IsEmpty: false };

    public ValueTask<RecordResult> Record(Event @event)
    {
        var isLoaded = IsLoaded();
        return isLoaded is { IsCompletedSuccessfully: true, Result: true } ? new(RecordNow(@event)) : RecordWhen(isLoaded, @event);
    }

    public async ValueTask<RecordResult[]> RecordAll(Event[] events)
    {
        if (!await IsLoaded()) return [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Unavailable, 0), events.Length)];
        var results = new RecordResult[events.Length];
        var pending = new PendingResults(results, events.Length);
        RecordAll(events.Select((one, place) => new PlacedEvent(one, place)), pending);
        await pending.Wait(Timeout.InfiniteTimeSpan);
        return results;
    }

    /// <summary>The same without a message, of a grain that has loaded. All join before the first is committed: they are one run.</summary>
    public void RecordAll(IEnumerable<PlacedEvent> events, PendingResults pending)
    {
        Use();
        var answers = new Answers();
        lock (gate)
        {
            foreach (var one in events) Join(one, pending);
            if (!appending) AppendGathered(answers);
        }
        answers.Tell();
    }

    private async ValueTask<RecordResult> RecordWhen(ValueTask<bool> isLoaded, Event @event) =>
        await isLoaded ? await RecordNow(@event) : new(RecordOutcome.Unavailable, 0);

    private Task<RecordResult> RecordNow(Event @event, bool isCompared = false)
    {
        Task<RecordResult> result;
        Answers? answers = null;
        lock (gate)
        {
            if (WhatIsKnown(@event) is { } known) return Task.FromResult(known);
            if (!isCompared && HasOtherText(@event)) return Task.Run(() => CompareWithLog(@event)); // SQLite's calls block
            result = inFlight?.Find(@event.Id) is { } first ? JoinFirst(first, @event) : (inFlight ??= new()).Add(new(@event)).Done;
            if (!appending) AppendGathered(answers = new());
        }
        answers?.Tell();
        return result;
    }

    // Null of an event that has to be committed: then one whose id is under way waits for that commit, and any other gathers for the next run.
    private RecordResult? WhatIsKnown(Event @event) =>
        SendsAway ? new(RecordOutcome.SteppedDown, 0)
        : suppressed ? new(RecordOutcome.Suppressed, 0)
        : remembered.Find(@event) is { SameText: true } first ? new(RecordOutcome.Duplicate, first.Sequence)
        : null;

    private void Join(PlacedEvent one, PendingResults pending)
    {
        if (WhatIsKnown(one.Event) is { } known) pending.Tell(one.Place, known);
        else if (HasOtherText(one.Event)) _ = CompareWithLog(one, pending);
        else if (inFlight?.Find(one.Event.Id) is { } first) _ = JoinFirst(first, one, pending);
        else (inFlight ??= new()).Add(new(one.Event, pending, one.Place));
    }

    private bool HasOtherText(Event @event) => remembered.Find(@event) is { SameText: false };

    private async Task CompareWithLog(PlacedEvent repeat, PendingResults pending)
    {
        var result = new RecordResult(RecordOutcome.Unknown, 0); // whatever happens, whoever waits must hear of it
        try
        {
            result = await Task.Run(() => CompareWithLog(repeat.Event));
        }
        finally
        {
            pending.Tell(repeat.Place, result);
        }
    }

    // A known id with other text. In a run it would make the whole batch, which is others' too, commit a second time.
    private async Task<RecordResult> CompareWithLog(Event repeat)
    {
        try
        {
            return await history.FindFirst(fingerprint, repeat) is { } first
                ? AsRepeat(new(RecordOutcome.Recorded, first.Sequence), first.Event, repeat)
                : await RecordNow(repeat, isCompared: true); // it has left the log meanwhile
        }
        catch (EventLogUnavailableException)
        {
            return new(RecordOutcome.Unavailable, 0);
        }
    }

    private async Task JoinFirst(Waiting first, PlacedEvent repeat, PendingResults pending) =>
        pending.Tell(repeat.Place, await JoinFirst(first, repeat.Event));

    private async Task<RecordResult> JoinFirst(Waiting first, Event repeat)
    {
        var result = await first.Done;
        // The first was refused for its own content: what that says of this one is nothing.
        return result.Outcome is RecordOutcome.IdConflict or RecordOutcome.TooManyCounters && !repeat.HasContentOf(first.Event)
            ? await RecordNow(repeat)
            : AsRepeat(result, first.Event, repeat);
    }

    // Until a run is on its way, or none is left to be sent.
    private void AppendGathered(Answers answers)
    {
        appending = false;
        while (inFlight is { HasGathered: true } && !steppedDown && !appending)
        {
            var caller = inFlight.NextCaller;
            var decided = Decide(inFlight, answers);
            if (decided.Count == 0) continue;
            appending = log.TryAppend(new GrainRun(this, decided, caller));
            if (!appending) AnswerRun(inFlight, decided, RecordOutcome.Overloaded, answers);
        }
        if (appending) return;
        inFlight?.AnswerGathered(new(RecordOutcome.SteppedDown, 0), answers);
        if (state.Total <= 1) inFlight = null;
        idle?.SetResult();
        idle = null;
    }

    private Task NoRunUnderWay() =>
        appending ? (idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;

    private List<RecordedEvent> Decide(EventsInFlight events, Answers answers)
    {
        var decisions = new Decisions(fingerprint, state, limits.CountersMax);
        var runMax = Math.Min(limits.RunEventsMax, limits.QueueEventsMax); // a larger run would rarely find room
        var decided = new List<RecordedEvent>(Math.Min(events.Gathered, runMax));
        for (var weight = 0; events.HasGathered && weight < runMax;)
        {
            var one = events.TakeNext();
            if (decisions.Next(one.Event) is { } next) decided.Add(next);
            else events.Answer(one, new(RecordOutcome.TooManyCounters, 0), answers);
            weight += one.Event.Weight;
        }
        return decided;
    }

    private sealed class GrainRun(FingerprintGrain grain, List<RecordedEvent> decided, Activity? caller) : Run(decided, grain.removalEpoch, caller)
    {
        protected override void Settled(AppendResult result, Answers answers) => grain.Settle(decided, result, answers);
    }

    private void Settle(List<RecordedEvent> decided, AppendResult result, Answers answers)
    {
        lock (gate)
        {
            try
            {
                Settle(inFlight!, decided, result, answers);
                AppendGathered(answers);
            }
            catch (Exception exception) // a broken invariant: what this activation believes is worth nothing
            {
                LogBroken(exception, state.Sequence);
                StepDown();
                inFlight!.AnswerAll(new(RecordOutcome.Unknown, 0), answers);
                AppendGathered(answers);
            }
        }
    }

    private void Settle(EventsInFlight events, List<RecordedEvent> decided, AppendResult result, Answers answers)
    {
        switch (result.Outcome)
        {
            case AppendOutcome.Recorded:
                removalEpoch = result.RemovalEpoch;
                foreach (var recorded in decided) Fold(events, recorded, answers);
                SnapshotIfDue();
                break;
            case AppendOutcome.HasRepeats:
                AnswerRepeats(events, decided, result.Repeats, answers);
                break;
            case AppendOutcome.Unavailable:
                AnswerRun(events, decided, RecordOutcome.Unavailable, answers);
                break;
            case AppendOutcome.Fenced:
                StepDownFenced();
                AnswerRun(events, decided, RecordOutcome.SteppedDown, answers);
                break;
            default:
                StepDown();
                AnswerRun(events, decided, RecordOutcome.Unknown, answers);
                break;
        }
    }

    private void Fold(EventsInFlight events, RecordedEvent recorded, Answers answers)
    {
        state.Apply(recorded);
        remembered.Add(recorded);
        events.Answer(events[recorded.Event.Id], new(RecordOutcome.Recorded, recorded.Sequence), answers);
    }

    // Old repeats get their first receipt; what was decided beside them has a new sequence, so it is decided again.
    private static void AnswerRepeats(
        EventsInFlight events, List<RecordedEvent> decided, IReadOnlyList<RecordedEvent> repeats, Answers answers)
    {
        var firstById = repeats.ToDictionary(repeat => repeat.Event.Id);
        var again = new List<Waiting>();
        foreach (var recorded in decided)
        {
            var one = events[recorded.Event.Id];
            if (firstById.TryGetValue(recorded.Event.Id, out var first))
                events.Answer(one, AsRepeat(new(RecordOutcome.Recorded, first.Sequence), first.Event, one.Event), answers);
            else again.Add(one);
        }
        events.GatherAgain(again);
    }

    private static void AnswerRun(EventsInFlight events, List<RecordedEvent> decided, RecordOutcome outcome, Answers answers)
    {
        foreach (var recorded in decided) events.Answer(events[recorded.Event.Id], new(outcome, 0), answers);
    }

    private static RecordResult AsRepeat(RecordResult first, Event firstEvent, Event repeat) =>
        first.Outcome is not (RecordOutcome.Recorded or RecordOutcome.Duplicate) ? first
        : new(repeat.HasContentOf(firstEvent) ? RecordOutcome.Duplicate : RecordOutcome.IdConflict, first.Sequence);
}
