using System.Globalization;
using System.Text;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// Folds the whole log and compares it with every snapshot, visit and rollup. Events are streamed; what is held grows
/// with the number of rollups (minutes times products times actions) and not with the number of events.
/// </summary>
/// <param name="audit">Everything stored, as of one moment.</param>
/// <param name="readSnapshot">Reads what grain storage wrote.</param>
/// <param name="difference">Told each difference, in one line, as it is found.</param>
public sealed class Proof(IEventLogAudit audit, Func<byte[], FingerprintState> readSnapshot, Action<string> difference)
{
    private readonly RollupDeltas folded = [];

    public long Events { get; private set; }
    public long Fingerprints { get; private set; }
    public long Snapshots { get; private set; }
    public long Rollups { get; private set; }
    public long Visits { get; private set; }
    public long Differences { get; private set; }

    public async Task Run(CancellationToken cancellation)
    {
        await FoldEvents(cancellation);
        await CountsProof.Run(audit, folded, Report, cancellation);
        await Compare("rollup of the hour", folded.ByHour(), audit.RollupHours(cancellation));
        Rollups = await Compare("rollup", folded, audit.Rollups(cancellation));
    }

    /// <returns>How many are stored.</returns>
    private async Task<long> Compare(string what, RollupDeltas fold, IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> stored)
    {
        long count = 0;
        await foreach (var (key, counts) in stored)
        {
            count++;
            if (!fold.Remove(key, out var expected)) expected = default;
            if (counts != expected) Report($"{what} {Describe(key)}: stored {counts}, the log says {expected}");
        }
        foreach (var (key, expected) in fold) Report($"{what} {Describe(key)}: missing, the log says {expected}");
        return count;
    }

    // All streams come in the order of the fingerprints' bytes, so one pass brings snapshots and visits to their events.
    private async Task FoldEvents(CancellationToken cancellation)
    {
        await using var snapshots = audit.Snapshots(cancellation).GetAsyncEnumerator(cancellation);
        var snapshot = await Next(snapshots);
        await using var stored = audit.Visits(cancellation).GetAsyncEnumerator(cancellation);
        var visits = new VisitProof(stored, Report);
        string? fingerprint = null;
        var state = new FingerprintState();

        await foreach (var recorded in audit.Events(cancellation))
        {
            if (recorded.Fingerprint != fingerprint)
            {
                if (fingerprint is not null) await visits.Leave(fingerprint);
                snapshot = await PassBy(snapshots, snapshot, fingerprint, recorded.Fingerprint);
                fingerprint = recorded.Fingerprint;
                state = new();
                Fingerprints++;
            }
            Events++;
            if (recorded.Sequence != state.Sequence + 1)
                Report($"fingerprint '{fingerprint}': sequence {recorded.Sequence} follows {state.Sequence}");
            // The same decision as the grain's: a pure function of the state before.
            var decided = new Decisions(recorded.Fingerprint, state, int.MaxValue).Next(recorded.Event)!;
            folded.Add(decided);
            state.Apply(recorded);
            visits.Fold(recorded);
            if (snapshot?.Fingerprint == fingerprint && snapshot.State.Sequence == state.Sequence && !snapshot.State.SameAs(state))
                Report($"snapshot of '{fingerprint}' at sequence {state.Sequence} is not the fold of its events");
            if (snapshot?.Fingerprint == fingerprint) snapshot = snapshot with { Head = state.Sequence };
        }
        while (snapshot is not null) snapshot = await Leave(snapshots, snapshot);
        if (fingerprint is not null) await visits.Leave(fingerprint);
        await visits.Leave(null);
        Visits = visits.Visits;
    }

    private sealed record Snapshot(string Fingerprint, FingerprintState State, long Head);

    // Leaves the snapshots before the fingerprint that comes now: the last one's, and any that no event belongs to.
    private async Task<Snapshot?> PassBy(
        IAsyncEnumerator<(string GrainKey, byte[] Payload)> snapshots, Snapshot? snapshot, string? last, string coming)
    {
        while (snapshot is not null && (snapshot.Fingerprint == last || CompareBytes(snapshot.Fingerprint, coming) < 0))
            snapshot = await Leave(snapshots, snapshot);
        return snapshot;
    }

    private async Task<Snapshot?> Leave(IAsyncEnumerator<(string GrainKey, byte[] Payload)> snapshots, Snapshot snapshot)
    {
        if (snapshot.State.Sequence > snapshot.Head)
            Report($"snapshot of '{snapshot.Fingerprint}' is at sequence {snapshot.State.Sequence}, its log ends at {snapshot.Head}");
        return await Next(snapshots);
    }

    private async Task<Snapshot?> Next(IAsyncEnumerator<(string GrainKey, byte[] Payload)> snapshots)
    {
        while (await snapshots.MoveNextAsync())
        {
            Snapshots++;
            var (key, payload) = snapshots.Current;
            try
            {
                return new(FingerprintKey.Fingerprint(key), readSnapshot(payload), Head: 0);
            }
            catch (Exception exception) // a key of another program, or whatever broken bytes make a serializer throw
            {
                Report($"snapshot '{key}' cannot be read: {exception.Message}");
            }
        }
        return null;
    }

    private void Report(string text)
    {
        Differences++;
        difference(text);
    }

    private static string Describe(RollupKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.Minute:yyyy-MM-dd'T'HH:mm'Z'} {key.Product} {key.Action}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
