using Microsoft.Extensions.Logging;
using Orleans.Concurrency;
using Orleans.GrainDirectory;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Placement;

namespace Tally.Grains;

/// <summary>
/// A fingerprint's activation: loads it, hands calls over to it, writes its snapshots, and ends. Once it has loaded,
/// the front end of its own silo finds the fingerprint through <see cref="ResidentFingerprints"/> and calls it without
/// a message. One that came without an activation (<see cref="Newcomers"/>) it takes over as it is.
/// </summary>
/// <remarks>
/// Orleans makes an activation's first calls under that activation's lock, and they may wait for the fingerprint's. So
/// what may be called under the fingerprint's lock takes Orleans' later, on another thread.
/// </remarks>
[Reentrant]
[OwnerPlacement, GrainDirectory(OwnerPlacement.Directory)]
public sealed partial class FingerprintGrain(FingerprintServices services)
    : Grain, IFingerprintGrain, IFingerprintHolder
{
    private static readonly DeactivationReason NothingLeftToDo =
        new(DeactivationReasonCode.ApplicationRequested, "It has nothing left to do here.");

    private string name = "";
    private Resident? resident;
    private bool isEnding; // guarded by the resident
    private Task<Fingerprint?>? loading; // of turns alone
    private bool isElsewhere; // it belongs to another silo
    private volatile Fingerprint? loaded;

    private GrainState<FingerprintState>? snapshot; // as stored; null while nobody needed it
    private long snapshotSequence;
    private bool isSnapshotDue;
    private Task snapshotting = Task.CompletedTask;

    private long keepAgainAt; // by Environment.TickCount64

    public ValueTask<RecordResult> Record(Event @event) =>
        loaded is { } here ? new(here.Record(@event)) : LoadAndRecord(@event);

    public async ValueTask<RecordResult[]> RecordAll(Event[] events) => await TryLoad(toRecord: true) is { } here
        ? await here.RecordAll(events)
        : [.. Enumerable.Repeat(NotLoaded, events.Length)];

    public async ValueTask<ViewResult> View() => await TryLoad() is { } here ? await here.View()
        : new(isElsewhere ? ViewOutcome.SteppedDown : ViewOutcome.Unavailable, null);

    public ValueTask<EraseResult> Erase(bool suppress) => Erase(lastSeenBefore: null, suppress);

    public ValueTask<EraseResult> Forget(DateTime before) => Erase(before, suppress: false);

    private async ValueTask<RecordResult> LoadAndRecord(Event @event) =>
        await TryLoad(toRecord: true) is { } here ? await here.Record(@event) : NotLoaded;

    private RecordResult NotLoaded => new(isElsewhere ? RecordOutcome.SteppedDown : RecordOutcome.Unavailable, 0);

    private ulong Point => RendezvousHash.Point(this.GetGrainId());

    private async ValueTask<EraseResult> Erase(DateTime? lastSeenBefore, bool suppress)
    {
        if (await TryLoad() is not { } here)
            return new(isElsewhere ? EraseOutcome.SteppedDown : EraseOutcome.Unavailable, null);
        if (await here.CloseForErasure(lastSeenBefore) is { } notClosed) return new(notClosed, null);
        try
        {
            await snapshotting;
            if (await services.Erasures.Erase(name, here.Sequence, suppress) is not { } removed)
                return new(EraseOutcome.SteppedDown, null);
            return here.IsProvenBy(await services.Liveness.Prove()) // else another silo may show it still
                ? new(EraseOutcome.Erased, removed with { Suppressed = suppress || here.IsSuppressed })
                : new(EraseOutcome.Unknown, null);
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
            End();
        }
    }

    public override Task OnActivateAsync(CancellationToken cancellationToken)
    {
        name = FingerprintKey.Fingerprint(this.GetPrimaryKeyString());
        KeepLaterFrom(Environment.TickCount64);
        return Task.CompletedTask;
    }

    public override async Task OnDeactivateAsync(DeactivationReason reason, CancellationToken cancellationToken)
    {
        if (resident is null) return; // it has nothing
        lock (resident) isEnding = true;
        if (loaded is { } here)
        {
            await here.Close(); // Orleans waits for its messages, and not for calls without one
            await snapshotting;
            if (IsSaveDue) await WriteSnapshot(here);
        }
        services.Residents.Leave(name, resident); // last: until then it is told if another silo gets it
    }

    void IFingerprintHolder.Deactivate() => Task.Run(End);

    // It may have ended already. Orleans' DeactivateOnIdle would throw then.
    private void End() => GrainContext.Deactivate(NothingLeftToDo);

    private bool IsSaveDue =>
        loaded!.Sequence - snapshotSequence >= services.Limits.SnapshotOnDeactivationEventsMin;

    Task IFingerprintHolder.Save()
    {
        if (isSnapshotDue || !IsSaveDue) return Task.CompletedTask;
        isSnapshotDue = true;
        return snapshotting = Task.Run(async () =>
        {
            await WriteSnapshot(loaded!);
            isSnapshotDue = false;
        });
    }

    async Task IFingerprintHolder.Leave()
    {
        if (!IsSaveDue) return;
        End();
        await GrainContext.Deactivated;
    }

    // Orleans counts messages alone as use, and its clock is asked only now and then: most calls cost a look at a
    // coarse one.
    void IFingerprintHolder.Use()
    {
        resident!.Use();
        var now = Environment.TickCount64;
        if (now < Volatile.Read(ref keepAgainAt)) return;
        KeepLaterFrom(now);
        Task.Run(Keep);
    }

    private TimeSpan Spell => services.Residents.CollectionAge / 4;

    private void KeepLaterFrom(long now) => Volatile.Write(ref keepAgainAt, now + (long)Spell.TotalMilliseconds);

    private void Keep()
    {
        lock (resident!)
            if (!isEnding) // else Orleans may have done with it, and would throw
                DelayDeactivation(services.Residents.CollectionAge + Spell);
    }

    void IFingerprintHolder.Advanced(long sequence)
    {
        if (!isSnapshotDue && sequence - snapshotSequence >= services.Limits.SnapshotEventsMax)
            _ = SnapshotInTurn(loaded!);
    }

    private async ValueTask<Fingerprint?> TryLoad(bool toRecord = false)
    {
        if (loaded is { } here) return here;
        var load = loading ??= Load(toRecord);
        try
        {
            return await load;
        }
        catch (EventLogUnavailableException)
        {
            // The next caller gets a fresh try. Nothing was learnt, so nothing is kept in memory for it.
            End();
            return null;
        }
        finally
        {
            if (loading == load) loading = null; // nothing of the load is kept
        }
    }

    // Null where it belongs to another silo: then it ends here, and who asked asks again. If Orleans passed the message
    // on, and that silo had just left, nobody would know to ask again.
    private async Task<Fingerprint?> Load(bool toRecord)
    {
        while (resident is null)
        {
            var (place, newcomer) = services.Residents.Enter(name, GrainContext);
            (resident, loaded) = (place, newcomer);
            if (newcomer is null) break;
            if (place.TryJoin(GrainContext, this)) return newcomer;
            (resident, loaded) = (null, null);
            await place.End(); // what it has taken is recorded first
        }
        if (await services.Ownership.Claim(Point) is { } claimed)
        {
            var history = (toRecord ? services.History.TryBegin(name) : null)
                ?? await services.History.Load(name);
            (snapshot, snapshotSequence) = (history.Stored, history.SnapshotSequence);
            var here = loaded = new(name, Point, history, services, this);
            if (services.Ownership.TryOpen(resident, here, claimed)) return here;
            loaded = null;
        }
        isElsewhere = true;
        End();
        return null;
    }

    private async Task SnapshotInTurn(Fingerprint here)
    {
        isSnapshotDue = true; // until it is written: two writes at once would take each other for another activation's
        if (await services.Snapshots.TakeTurn())
            await here.WhileOpen(() => snapshotting = Task.Run(() => WriteSnapshot(here)));
        isSnapshotDue = false;
    }

    // Never fails an event: the log has it. A write that fails leaves a longer tail for the next one.
    private async Task WriteSnapshot(Fingerprint here)
    {
        try
        {
            // A silo that slept may have lost the fingerprint, and the fingerprint its history: then no version would
            // refuse a first snapshot.
            if (!here.IsProvenBy(await services.Liveness.Prove()) || here.CopyState() is not { } state) return;
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
