using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// One fingerprint: loads once, then answers from memory. What it does with events stands in a file of its own. Orleans decides
/// where it lives and when it begins and ends; once it has loaded, its own silo's front end finds it through
/// <see cref="ActivationLimit"/> and calls it on any thread, without a message. So what requests share is under a lock, and not
/// in the grain's turns.
/// </summary>
[Reentrant]
public sealed partial class FingerprintGrain(
    GroupCommit log, History history, Snapshots snapshots, Erasures erasures, ISiloLiveness liveness, ActivationLimit activationLimit, Limits limits, ILogger<FingerprintGrain> logger)
    : Grain, IFingerprintGrain
{
    private readonly Lock gate = new(); // guards what follows, but for what only turns touch
    private RememberedEvents remembered = new(limits.RememberedEventsMax);
    private FingerprintState state = new();
    private GrainState<FingerprintState>? stored;
    private long snapshotSequence;
    private long removalEpoch; // before the moment as of which it knows the log's head
    private Task snapshotting = Task.CompletedTask;
    private bool snapshotDue;
    private bool leaving;
    private bool steppedDown;
    private bool suppressed;

    // Of turns alone, until it has loaded.
    private string fingerprint = "";
    private Resident? resident;
    private Task? loading;
    private volatile bool loaded;

    private long keepAgainAt; // by Environment.TickCount64

    public async ValueTask<ViewResult> View()
    {
        if (!await IsLoaded() || !await liveness.Prove()) return new(ViewOutcome.Unavailable, null);
        lock (gate)
        {
            if (SendsAway) return new(ViewOutcome.SteppedDown, null);
            if (state.Total > 0) return new(ViewOutcome.Known, state.ToView(fingerprint));
            if (!HasEventsInFlight) DeactivateOnIdle();
            return new(ViewOutcome.Unknown, null);
        }
    }

    // Later calls go to the next activation.
    private bool SendsAway => steppedDown || leaving;

    public ValueTask<EraseResult> Erase(bool suppress) => EraseIf(_ => true, suppress);

    // An event that is on its way was sent just now, whatever its own time says.
    public ValueTask<EraseResult> Forget(DateTime before) =>
        EraseIf(state => state.Total > 0 && state.LastSeen < before && !HasEventsInFlight, suppress: false);

    private async ValueTask<EraseResult> EraseIf(Func<FingerprintState, bool> condition, bool suppress)
    {
        if (!await IsLoaded()) return new(EraseOutcome.Unavailable, null);
        Task appended;
        lock (gate)
        {
            if (SendsAway) return new(EraseOutcome.SteppedDown, null);
            if (!condition(state)) return new(EraseOutcome.Kept, null);
            SendAway(); // from here on everyone goes to the successor, which begins with what this leaves
            appended = NoRunUnderWay();
        }
        try
        {
            await appended;
            await snapshotting;
            return await erasures.Erase(fingerprint, state.Sequence, suppress) is { } removed
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
        fingerprint = FingerprintKey.Fingerprint(this.GetPrimaryKeyString());
        TallyMetrics.ResidentFingerprints.Add(1);
        resident = activationLimit.Enter(GrainContext);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(-1);
        resident?.Leave();
        activationLimit.Close(fingerprint, this);
        Task appended;
        lock (gate)
        {
            leaving = true;
            appended = NoRunUnderWay(); // Orleans waits for its own requests, and not for those that came without a message
        }
        await appended;
        await snapshotting;
        if (!steppedDown && state.Sequence - snapshotSequence >= limits.SnapshotOnDeactivationEventsMin)
            await WriteSnapshot();
    }

    private ValueTask<bool> IsLoaded()
    {
        Use();
        return loaded ? new(true) : new(TryLoad());
    }

    // Orleans' own part is asked now and then: a call without a message costs no more for it than a look at a coarse clock.
    private void Use()
    {
        resident!.Use();
        var now = Environment.TickCount64;
        if (now < Volatile.Read(ref keepAgainAt)) return;
        lock (gate)
        {
            if (leaving) return; // Orleans may have done with it already, and would throw
            var spell = activationLimit.CollectionAge / 4;
            keepAgainAt = now + (long)spell.TotalMilliseconds;
            DelayDeactivation(activationLimit.CollectionAge + spell);
        }
    }

    private async Task<bool> TryLoad()
    {
        var load = loading ??= Load();
        try
        {
            await load;
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
        var read = await history.Load(fingerprint, this.GetGrainId());
        (state, stored, snapshotSequence, removalEpoch, suppressed) = (read.State, read.Stored, read.SnapshotSequence, read.RemovalEpoch, read.Suppressed);
        foreach (var recorded in read.Newest) remembered.Add(recorded);
        loaded = true;
        activationLimit.Open(fingerprint, this);
        loading = Task.CompletedTask; // nothing of the load is kept
    }

    // This activation no longer knows where the log stands. Everyone is sent to its successor, which will read it.
    private void StepDown()
    {
        SendAway();
        DeactivateOnIdle();
    }

    private void SendAway()
    {
        lock (gate)
        {
            steppedDown = true;
        }
    }

    private void StepDownFenced()
    {
        TallyMetrics.Fences.Add(1);
        LogFenced(state.Sequence);
        StepDown();
    }

    private void SnapshotIfDue()
    {
        if (!snapshotDue && state.Sequence - snapshotSequence >= limits.SnapshotEventsMax) _ = SnapshotInTurn();
    }

    private async Task SnapshotInTurn()
    {
        snapshotDue = true; // until it is written: two writes at once would take each other for another activation's
        // A silo that slept may have lost the fingerprint, and that its history: a first snapshot meets no version that would refuse it.
        if (await snapshots.TakeTurn() && await liveness.Prove()) await WriteUnlessLeaving();
        snapshotDue = false;
    }

    private Task WriteUnlessLeaving()
    {
        lock (gate) return SendsAway ? Task.CompletedTask : snapshotting = Task.Run(WriteSnapshot);
    }

    // Never fails an event: the log has it. A write that fails leaves a longer tail for the next one.
    private async Task WriteSnapshot()
    {
        try
        {
            stored ??= await snapshots.Read(this.GetGrainId());
            lock (gate) stored.State = state.Copy();
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
