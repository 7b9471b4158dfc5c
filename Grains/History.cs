using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>A fingerprint as a grain begins with it.</summary>
/// <param name="State">The fold of the whole log.</param>
/// <param name="Newest">The newest events, oldest first.</param>
/// <param name="Stored">The snapshot as read, for its version; null where it was not needed.</param>
/// <param name="SnapshotSequence">Where the snapshot stands; 0 where there is none, or it was not needed or not believed.</param>
public sealed record LoadedHistory(
    FingerprintState State,
    IReadOnlyList<RecordedEvent> Newest,
    GrainState<FingerprintState>? Stored,
    long SnapshotSequence);

/// <summary>Loads a fingerprint: its newest events, and for a longer history its snapshot and the events between.</summary>
public sealed class History(HistoryLoader loader, IEventLogStorage storage, Snapshots snapshots, Limits limits)
{
    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async Task<LoadedHistory> Load(string fingerprint, GrainId grain)
    {
        var newest = await loader.ReadNewest(fingerprint);
        if (newest.Count < limits.RememberedEventsMax)
        {
            var state = new FingerprintState();
            foreach (var recorded in newest) state.Apply(recorded);
            return new(state, newest, null, 0);
        }

        var stored = await ReadSnapshot(grain);
        // The log is the record: a snapshot that claims more than it was not written by this program. One of a version that
        // did not count days' events is folded anew, once.
        var believed = stored.State!.Sequence <= newest[^1].Sequence && stored.State.KnowsActivity;
        var folded = believed ? stored.State.Copy() : new();
        await FoldUpTo(folded, fingerprint, newest[0].Sequence - 1);
        foreach (var recorded in newest)
            if (recorded.Sequence > folded.Sequence) folded.Apply(recorded);
        return new(folded, newest, stored, believed ? stored.State.Sequence : 0);
    }

    // Where the newest events do not reach back to the snapshot: it waited long for its turn, or could not be written.
    private async Task FoldUpTo(FingerprintState state, string fingerprint, long sequence)
    {
        while (state.Sequence < sequence)
        {
            var page = await storage.ReadAfter(fingerprint, state.Sequence, limits.PageEventsMax);
            if (page.Count == 0) throw new InvalidOperationException($"The log ends before sequence {sequence}.");
            foreach (var recorded in page)
                if (recorded.Sequence <= sequence) state.Apply(recorded);
        }
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
