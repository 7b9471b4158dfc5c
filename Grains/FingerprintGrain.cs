using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// A fingerprint's activation: loads it, hands calls over to it, writes its snapshots, and ends. Once it has loaded,
/// the front end of its own silo finds the fingerprint through <see cref="ActivationLimit"/> and calls it without a
/// message.
/// </summary>
[Reentrant]
public sealed partial class FingerprintGrain(FingerprintServices services)
    : Grain, IFingerprintGrain, IFingerprintHolder
{
    private string name = "";
    private Resident? resident;
    private Task<Fingerprint>? loading; // of turns alone
    private volatile Fingerprint? loaded;

    private GrainState<FingerprintState>? snapshot; // as stored; null while nobody needed it
    private long snapshotSequence;
    private bool isSnapshotDue;
    private Task snapshotting = Task.CompletedTask;

    private long keepAgainAt; // by Environment.TickCount64

    public ValueTask<RecordResult> Record(Event @event) =>
        loaded is { } here ? new(here.Record(@event)) : LoadAndRecord(@event);

    public async ValueTask<RecordResult[]> RecordAll(Event[] events) => (TryBegin() ?? await TryLoad()) is { } here
        ? await here.RecordAll(events)
        : [.. Enumerable.Repeat(new RecordResult(RecordOutcome.Unavailable, 0), events.Length)];

    public async ValueTask<ViewResult> View() =>
        await TryLoad() is { } here ? await here.View() : new(ViewOutcome.Unavailable, null);

    public ValueTask<EraseResult> Erase(bool suppress) => Erase(lastSeenBefore: null, suppress);

    public ValueTask<EraseResult> Forget(DateTime before) => Erase(before, suppress: false);

    private async ValueTask<RecordResult> LoadAndRecord(Event @event) =>
        (TryBegin() ?? await TryLoad()) is { } here
            ? await here.Record(@event) : new(RecordOutcome.Unavailable, 0);

    private async ValueTask<EraseResult> Erase(DateTime? lastSeenBefore, bool suppress)
    {
        if (await TryLoad() is not { } here) return new(EraseOutcome.Unavailable, null);
        if (await here.CloseForErasure(lastSeenBefore) is { } notClosed) return new(notClosed, null);
        try
        {
            await snapshotting;
            return await services.Erasures.Erase(name, here.Sequence, suppress) is { } removed
                ? new(EraseOutcome.Erased, removed with { Suppressed = suppress || here.IsSuppressed })
                : new(EraseOutcome.SteppedDown, null);
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
        name = FingerprintKey.Fingerprint(this.GetPrimaryKeyString());
        TallyMetrics.ResidentFingerprints.Add(1);
        resident = services.ActivationLimit.Enter(GrainContext);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        TallyMetrics.ResidentFingerprints.Add(-1);
        lock (resident!) resident.Leave();
        if (loaded is not { } here) return;
        services.ActivationLimit.Close(name, here);
        await here.Close(); // Orleans waits for its messages, and not for calls without one
        await snapshotting;
        if (here.Sequence - snapshotSequence >= services.Limits.SnapshotOnDeactivationEventsMin)
            await WriteSnapshot(here);
    }

    void IFingerprintHolder.Deactivate() => DeactivateOnIdle();

    // Orleans counts messages alone as use, and its clock is asked only now and then: most calls cost a look at a
    // coarse one.
    void IFingerprintHolder.Use()
    {
        resident!.Use();
        var now = Environment.TickCount64;
        if (now < Volatile.Read(ref keepAgainAt)) return;
        lock (resident)
        {
            if (resident.HasLeft) return; // Orleans may have done with it already, and would throw
            var spell = services.ActivationLimit.CollectionAge / 4;
            keepAgainAt = now + (long)spell.TotalMilliseconds;
            DelayDeactivation(services.ActivationLimit.CollectionAge + spell);
        }
    }

    void IFingerprintHolder.Advanced(long sequence)
    {
        if (!isSnapshotDue && sequence - snapshotSequence >= services.Limits.SnapshotEventsMax)
            _ = SnapshotInTurn(loaded!);
    }

    private Fingerprint? TryBegin() =>
        loaded ?? (loading is null && services.History.TryBegin(name) is { } history ? Open(history) : null);

    private async ValueTask<Fingerprint?> TryLoad()
    {
        if (loaded is { } here) return here;
        var load = loading ??= Load();
        try
        {
            return await load;
        }
        catch (EventLogUnavailableException)
        {
            // The next caller gets a fresh try. Nothing was learnt, so nothing is kept in memory for it.
            if (loading == load) loading = null;
            DeactivateOnIdle();
            return null;
        }
    }

    private async Task<Fingerprint> Load()
    {
        var history = await services.History.Load(name, this.GetGrainId());
        (snapshot, snapshotSequence) = (history.Stored, history.SnapshotSequence);
        loading = null; // nothing of the load is kept
        return Open(history);
    }

    private Fingerprint Open(LoadedHistory history)
    {
        loaded = new(name, history, services, this);
        services.ActivationLimit.Open(name, loaded);
        return loaded;
    }

    private async Task SnapshotInTurn(Fingerprint here)
    {
        isSnapshotDue = true; // until it is written: two writes at once would take each other for another activation's
        // A silo that slept may have lost the fingerprint, and the fingerprint its history: then no version would
        // refuse a first snapshot.
        if (await services.Snapshots.TakeTurn() && await services.Liveness.Prove())
            await here.WhileOpen(() => snapshotting = Task.Run(() => WriteSnapshot(here)));
        isSnapshotDue = false;
    }

    // Never fails an event: the log has it. A write that fails leaves a longer tail for the next one.
    private async Task WriteSnapshot(Fingerprint here)
    {
        try
        {
            if (here.CopyState() is not { } state) return;
            snapshot ??= await services.Snapshots.Read(this.GetGrainId());
            snapshot.State = state;
            await services.Snapshots.Write(this.GetGrainId(), snapshot);
            snapshotSequence = state.Sequence;
        }
        catch (InconsistentStateException)
        {
            here.StepDownFenced();
        }
        catch (Exception exception) // the storage's own kinds of failure, which Grains does not know
        {
            TallyMetrics.SnapshotsFailed.Add(1);
            if (services.Snapshots.Failures.TryPass(out var more)) LogSnapshotFailed(services.Logger, exception, more);
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "A snapshot could not be written; the log still has every event ({More} more since the last line)")]
    private static partial void LogSnapshotFailed(ILogger logger, Exception exception, long more);
}
