using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>What a fingerprint begins with in memory.</summary>
/// <param name="State">The fold of the whole log.</param>
/// <param name="Newest">The newest events, oldest first.</param>
/// <param name="Stored">The snapshot as read, for its version; null where it was not needed.</param>
/// <param name="SnapshotSequence">
/// Where the snapshot stands, or what stands for pruned events; 0 where there is neither, or it was not needed or not
/// believed.
/// </param>
/// <param name="RemovalEpoch">Erasures and prunings before the moment as of which its newest events are known.</param>
/// <param name="Suppressed">Its events are to be refused.</param>
/// <param name="IsUnread">
/// The log was not asked, since it cannot have the fingerprint. The first commit proves it.
/// </param>
public sealed record LoadedHistory(
    FingerprintState State,
    IReadOnlyList<RecordedEvent> Newest,
    GrainState<FingerprintState>? Stored,
    long SnapshotSequence,
    long RemovalEpoch,
    bool Suppressed = false,
    bool IsUnread = false);

/// <summary>
/// Loads a fingerprint: its newest events, and for a longer history its snapshot and the events between.
/// </summary>
public sealed class History(
    HistoryLoader loader, IEventLogStorage storage, Snapshots snapshots, KnownFingerprints known,
    FingerprintGrains grains, Calendar calendar, Limits limits)
{
    // Pruning goes in steps, and rarely: a load may meet one of them, but hardly two.
    private const int AttemptsMax = 5;

    /// <summary>
    /// What a fingerprint begins with that nobody has ever seen; null if somebody may have. Good for recording only.
    /// </summary>
    public LoadedHistory? TryBegin(string fingerprint)
    {
        if (!known.IsNew(fingerprint, out var removalEpoch)) return null;
        known.Add(fingerprint);
        return new(new(), [], null, 0, removalEpoch, IsUnread: true);
    }

    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<LoadedHistory> Load(string fingerprint)
    {
        for (var attempt = 1; attempt <= AttemptsMax; attempt++)
            if (await TryLoad(fingerprint) is { } loaded)
            {
                if (loaded.State.Sequence > 0) known.Add(fingerprint);
                return loaded;
            }
        throw new EventLogUnavailableException("The history changes faster than it can be read.");
    }

    /// <summary>The event that the log has under an event's id; null where it has none.</summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<RecordedEvent?> FindFirst(string fingerprint, Event repeat) =>
        await storage.FindRepeats([new(fingerprint, 0, repeat)]) is [var first, ..] ? first : null;

    // Null where events were pruned between one read and the next.
    private async Task<LoadedHistory?> TryLoad(string fingerprint)
    {
        var (newest, remains, removalEpoch, someAreSuppressed) = await loader.ReadNewest(fingerprint);
        if (someAreSuppressed) known.NoteSuppression();
        if (newest.Count == 0)
            return new(remains.Pruned ?? new(), newest, null, remains.Pruned?.Sequence ?? 0, removalEpoch,
                remains.Suppressed);
        if (newest.Count < limits.RememberedEventsMax && newest[0].Sequence == 1)
        {
            var state = new FingerprintState();
            foreach (var recorded in newest) state.Apply(recorded, calendar);
            return new(state, newest, null, 0, removalEpoch);
        }

        var stored = await ReadSnapshot(grains.Id(fingerprint));
        // The log is the record. A snapshot that claims more than the log was not written by this program.
        var believed = stored.State!.Sequence <= newest[^1].Sequence;
        var folded = believed ? stored.State.Copy() : new();
        var covered = folded.Sequence;
        if (!await TryFoldUpTo(folded, fingerprint, newest[0].Sequence - 1))
        {
            if (await storage.ReadPruned(fingerprint) is not { } pruned) return null;
            (folded, covered) = (pruned, pruned.Sequence);
            if (!await TryFoldUpTo(folded, fingerprint, newest[0].Sequence - 1)) return null;
        }
        foreach (var recorded in newest)
            if (recorded.Sequence > folded.Sequence) folded.Apply(recorded, calendar);
        return new(folded, newest, stored, covered, removalEpoch);
    }

    // Where the newest events do not reach back to the snapshot: it waited long for its turn, or could not be written.
    // False where an event between them is not in the log any more.
    private async Task<bool> TryFoldUpTo(FingerprintState state, string fingerprint, long sequence)
    {
        while (state.Sequence < sequence)
        {
            var page = await storage.ReadAfter(fingerprint, state.Sequence, limits.PageEventsMax, limits.PageBytesMax);
            if (page.Count == 0 || page[0].Sequence != state.Sequence + 1) return false;
            foreach (var recorded in page)
                if (recorded.Sequence <= sequence) state.Apply(recorded, calendar);
        }
        return true;
    }

    private async Task<GrainState<FingerprintState>> ReadSnapshot(GrainId grain)
    {
        try
        {
            return await snapshots.Read(grain);
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new EventLogUnavailableException("A snapshot could not be read.", exception);
        }
    }
}
