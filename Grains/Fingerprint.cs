using Microsoft.Extensions.Logging;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Placement;

namespace Tally.Grains;

/// <summary>
/// One fingerprint in memory: decides what its events become, has them appended to the log, and folds what was
/// committed. Called on any thread; one lock guards it all. It knows nothing of Orleans: its grain, or at first its
/// place in memory, ends it and sees to its snapshots.
/// </summary>
/// <remarks>
/// One run of events is under way at a time. Events that arrive meanwhile gather and become the next run. What follows
/// a commit is done by the commit itself, for all of its runs in one go: each task that waits for another would cost a
/// post a percent.
/// </remarks>
public sealed partial class Fingerprint : IRunOwner
{
    private enum Stage
    {
        Open,
        /// <summary>It ends. What was taken is still recorded.</summary>
        Closing,
        /// <summary>It belongs to another silo now. The run under way is still folded.</summary>
        Lost,
        /// <summary>It no longer knows where the log stands, or is being erased.</summary>
        SteppedDown,
    }

    private readonly FingerprintServices services;
    private readonly string name;
    private readonly bool suppressed;

    private readonly Lock gate = new(); // guards what follows
    private readonly FingerprintState state;
    private readonly RememberedEvents remembered;
    private long removalEpoch; // as of when it knows the log's head
    private volatile IFingerprintHolder holder; // read without the lock, too
    private Stage stage;
    private long lostIn = long.MaxValue; // the version of the membership from which on it may be another silo's
    private bool isUnread; // the log was not asked: nothing is known of it until its first run is recorded
    private bool isAppending;
    private TaskCompletionSource? idle; // somebody waits for the run under way

    // Null while it is not needed: most visitors have one event, and nothing is kept for a second.
    private PendingEvents? pending;

    /// <param name="name">What it is called.</param>
    /// <param name="point">Where it lies among all: <see cref="RendezvousHash.Point"/>.</param>
    /// <param name="history">As loaded.</param>
    /// <param name="services">Its silo's.</param>
    /// <param name="holder">Its activation, or its place in memory.</param>
    internal Fingerprint(
        string name, ulong point, LoadedHistory history, FingerprintServices services, IFingerprintHolder holder)
    {
        (this.name, Point, this.services, this.holder) = (name, point, services, holder);
        (state, removalEpoch, suppressed) = (history.State, history.RemovalEpoch, history.Suppressed);
        isUnread = history.IsUnread;
        remembered = new(services.Limits.RememberedEventsMax);
        foreach (var recorded in history.Newest) remembered.Add(recorded);
    }

    internal string Name => name;

    internal ulong Point { get; }

    // Later calls are sent to the next activation.
    private bool IsClosed => stage != Stage.Open;

    /// <inheritdoc cref="IFingerprintGrain.Record"/>
    public Task<RecordResult> Record(Event @event)
    {
        holder.Use();
        return Record(@event, isCompared: false);
    }

    /// <inheritdoc cref="IFingerprintGrain.RecordAll"/>
    public async Task<RecordResult[]> RecordAll(Event[] events)
    {
        var results = new RecordResult[events.Length];
        var waiting = new PendingResults(results, events.Length);
        RecordAll(events.Select((one, place) => new PlacedEvent(one, place)), waiting);
        await waiting.Wait(Timeout.InfiniteTimeSpan);
        return results;
    }

    /// <summary>
    /// The same for a caller who waits for events of other fingerprints too. They are one run, if it has room for them.
    /// </summary>
    public void RecordAll(IEnumerable<PlacedEvent> events, PendingResults waiting)
    {
        holder.Use();
        var answers = new Answers<RecordResult>();
        List<(RecordResult Result, int Place)>? known = null;
        lock (gate)
        {
            foreach (var (one, place) in events)
                if (FindAnswer(one) is { } result) (known ??= []).Add((result, place));
                else if (WaitForFirst(one, isCompared: false) is { } repeat) _ = SetWhenKnown(repeat, waiting, place);
                else (pending ??= new()).Add(new(one, waiting, place));
            if (!isAppending) AppendPending(answers);
        }
        answers.Complete();
        foreach (var (result, place) in known ?? []) _ = SetWhenKnown(Confirm(result), waiting, place);
    }

    /// <inheritdoc cref="IFingerprintGrain.View"/>
    public async ValueTask<ViewResult> View()
    {
        holder.Use();
        var proof = await services.Liveness.Prove();
        lock (gate)
        {
            if (IsClosed) return new(ViewOutcome.SteppedDown, null);
            if (!IsProvenBy(proof)) return new(ViewOutcome.Unavailable, null);
            if (state.Total > 0) return new(ViewOutcome.Known, state.ToView(name));
            if (pending is not { IsEmpty: false }) holder.Deactivate();
            if (!isUnread) return new(ViewOutcome.Unknown, null);
        }
        return await ViewLog();
    }

    // Its first run is not recorded yet, so only the log can say whether it knows the fingerprint.
    private async Task<ViewResult> ViewLog()
    {
        try
        {
            var history = await services.History.Load(name);
            return history.State.Total > 0 ? new(ViewOutcome.Known, history.State.ToView(name))
                : new(ViewOutcome.Unknown, null);
        }
        catch (EventLogUnavailableException)
        {
            return new(ViewOutcome.Unavailable, null);
        }
    }

    /// <summary>Of its last event; 0 before the first.</summary>
    internal long Sequence
    {
        get
        {
            lock (gate) return state.Sequence;
        }
    }

    /// <summary>Its events are refused.</summary>
    internal bool IsSuppressed => suppressed;

    /// <summary>A copy of what is committed, for a snapshot; null once it has stepped down.</summary>
    internal FingerprintState? CopyState()
    {
        lock (gate) return stage == Stage.SteppedDown ? null : state.Copy();
    }

    /// <summary>Whether a proof that this silo gives is one for this fingerprint.</summary>
    internal bool IsProvenBy(long? proof) => proof < Volatile.Read(ref lostIn);

    /// <summary>
    /// Another silo may own it from a version of the membership on: later calls are sent there, and what has no proof
    /// from before is not acknowledged any more.
    /// </summary>
    internal void Lose(long inVersion)
    {
        lock (gate)
        {
            if (stage < Stage.Lost) stage = Stage.Lost;
            lostIn = Math.Min(lostIn, inVersion);
        }
        holder.Deactivate();
    }

    /// <summary>Has it held by its activation from now on; false where it ends already.</summary>
    internal bool TryMove(IFingerprintHolder activation)
    {
        lock (gate)
        {
            if (IsClosed) return false;
            holder = activation;
            return true;
        }
    }

    /// <summary>Ends it, as one that nobody needs: by its activation, or at once where it has none.</summary>
    internal void End()
    {
        lock (gate)
            if (stage == Stage.Open && holder is Resident) stage = Stage.Closing; // no activation joins it any more
        holder.Deactivate();
    }

    /// <inheritdoc cref="IFingerprintHolder.Save"/>
    internal Task Save() => WhileOpen(holder.Save);

    /// <inheritdoc cref="IFingerprintHolder.Leave"/>
    internal async Task Leave()
    {
        await Close();
        await holder.Leave();
    }

    /// <summary>
    /// Begins something that <see cref="Close"/> and <see cref="CloseForErasure"/> come after; nothing where they came
    /// before.
    /// </summary>
    internal Task WhileOpen(Func<Task> begin)
    {
        lock (gate) return IsClosed ? Task.CompletedTask : begin();
    }

    /// <summary>It ends: later calls are sent away. Completes when no run is under way.</summary>
    internal Task Close()
    {
        lock (gate)
        {
            if (stage == Stage.Open) stage = Stage.Closing;
            return NoRunUnderWay();
        }
    }

    /// <summary>
    /// Sends later calls away, so that what is kept of it can be erased: the next activation begins with what is left.
    /// Completes when no run is under way.
    /// </summary>
    /// <param name="lastSeenBefore">Only if its last event happened before, and none is on its way; null for in any
    /// case.</param>
    /// <returns>Null where it is closed now, and by this call; else why not.</returns>
    internal async Task<EraseOutcome?> CloseForErasure(DateTime? lastSeenBefore)
    {
        Task appended;
        lock (gate)
        {
            if (IsClosed) return EraseOutcome.SteppedDown;
            if (isUnread && !isAppending) // the next activation reads what there is to erase
            {
                holder.Deactivate();
                return EraseOutcome.SteppedDown;
            }
            if (lastSeenBefore is { } before
                && (state.Total == 0 || state.LastSeen >= before || pending is { IsEmpty: false }))
                return EraseOutcome.Kept;
            stage = Stage.SteppedDown;
            appended = NoRunUnderWay();
        }
        await appended;
        return null;
    }

    /// <summary>Somebody else has written since: this one no longer knows where the log stands.</summary>
    internal void StepDownFenced()
    {
        TallyMetrics.Fences.Add(1);
        LogFenced(services.Logger, state.Sequence);
        StepDown();
    }

    private void StepDown()
    {
        lock (gate) stage = Stage.SteppedDown;
        holder.Deactivate();
    }

    private Task NoRunUnderWay() =>
        isAppending ? (idle ??= new(TaskCreationOptions.RunContinuationsAsynchronously)).Task : Task.CompletedTask;

    [LoggerMessage(LogLevel.Information,
        "Somebody else wrote after sequence {Sequence}; the fingerprint's copy here steps down")]
    private static partial void LogFenced(ILogger logger, long sequence);

    [LoggerMessage(LogLevel.Error, "A fingerprint at sequence {Sequence} broke an invariant and steps down")]
    private static partial void LogBroken(ILogger logger, Exception exception, long sequence);
}
