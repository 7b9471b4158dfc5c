using System.Data.Common;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <param name="Fingerprint">One that has events.</param>
/// <param name="OldestCreated">UTC: when the first event in the log was accepted.</param>
/// <param name="NewestOccurred">UTC: when the last event in the log happened.</param>
public sealed record AgeOfFingerprint(string Fingerprint, DateTime OldestCreated, DateTime NewestOccurred);

/// <param name="Events">How many were removed.</param>
/// <param name="HasMore">Of some fingerprint as many were removed as are allowed at once.</param>
public sealed record Pruned(long Events, bool HasMore);

/// <summary>How old events are removed.</summary>
public abstract partial class SqlStorage
{
    private readonly string readAges = scripts["read_ages"];
    private readonly string readFullyPruned = scripts["read_fully_pruned"];
    private readonly string readPrunedStates = scripts["read_pruned_states"];
    private readonly string readOldest = scripts["read_oldest"];
    private readonly string deleteOldest = scripts["delete_oldest"];
    private readonly string findUnpruned = scripts["find_unpruned"];
    private readonly string putPruned = scripts["put_pruned"];

    /// <summary>
    /// Makes this process the only one that prunes, until the result is disposed; null if another is. This saves work,
    /// and no more: prunings of several processes at once are safe.
    /// </summary>
    public abstract Task<IAsyncDisposable?> TryLead();

    /// <summary>Fingerprints with events, in the order of their bytes.</summary>
    /// <param name="after">The fingerprint before the first; empty for the beginning.</param>
    /// <param name="limit">At most so many. Fewer are the last ones.</param>
    public async Task<IReadOnlyList<AgeOfFingerprint>> ReadAges(string after, int limit) =>
        await Query(readAges, row => new AgeOfFingerprint(row.GetString(0), ReadTime(row, 1), ReadTime(row, 2)),
            Parameter("after", after), Parameter("limit", limit));

    /// <summary>Fingerprints of which all events are pruned, in the order of their bytes.</summary>
    /// <inheritdoc cref="ReadAges"/>
    public async Task<IReadOnlyList<string>> ReadFullyPruned(string after, int limit) =>
        await Query(readFullyPruned, row => row.GetString(0), Parameter("after", after), Parameter("limit", limit));

    /// <summary>
    /// Removes each fingerprint's events up to the first one that was accepted at <paramref name="before"/> or later,
    /// in one durable transaction, which also stores what they add up to: loads begin with that. The rollups keep what
    /// the events gave them.
    /// </summary>
    /// <param name="fingerprints">In the order of their bytes.</param>
    /// <param name="before">UTC.</param>
    /// <param name="eventsEach">At most so many events of each fingerprint.</param>
    /// <returns>
    /// What was removed; null if somebody else changed the same events, so that it may be tried again.
    /// </returns>
    public Task<Pruned?> Prune(IReadOnlyList<string> fingerprints, DateTime before, int eventsEach) =>
        Remove(fingerprints,
            at => FoldOldest(at, fingerprints, before, eventsEach), (at, step) => Prune(at, step, eventsEach));

    private async Task<PruningStep> FoldOldest(
        DbTransaction at, IReadOnlyList<string> fingerprints, DateTime before, int eventsEach)
    {
        var states = await Query(at, readPrunedStates,
            row => (row.GetString(0), StoredStates.Deserialize(row.GetFieldValue<byte[]>(1))),
            Texts("fingerprints", fingerprints));
        var step = new PruningStep(before, Calendar, states.ToDictionary());
        var sets = await ReadDimensionSets();
        var oldest = await KnowingRules(() => Query(at, readOldest, row => ReadLogRow(row, sets, Rules),
            Texts("fingerprints", fingerprints), Parameter("limit", eventsEach)));
        foreach (var logged in oldest) step.Take(logged);
        return step;
    }

    // As in an erasure, the lock comes last. This finds whatever was written meanwhile among the events that it prunes.
    private async Task<Pruned?> Prune(DbTransaction at, PruningStep step, int eventsEach)
    {
        if (step.Events == 0) return new(0, false);

        // A parameter belongs to one command, so each has its own.
        DbParameter Fingerprints() => Texts("fingerprints", step.Taken.Keys);
        DbParameter Sequences() => Numbers("sequences", step.Taken.Values.Select(state => state.Sequence));
        if (await Execute(at, deleteOldest, Fingerprints(), Sequences()) != step.Events) return null;
        await AddRemoved(at, step.Rollups);
        await AddRemoved(at, step.Dimensions);

        await RaiseRemovalEpoch(at);
        if ((await Query(at, findUnpruned, row => row.GetInt64(0), Fingerprints(), Sequences())).Count > 0) return null;
        await Execute(at, putPruned,
            Fingerprints(), Sequences(), Blobs("states", step.Taken.Values.Select(StoredStates.Write)));
        return new(step.Events, step.Largest == eventsEach);
    }

    /// <summary>Folds the old events of some fingerprints onto what was pruned of them before.</summary>
    private sealed class PruningStep(
        DateTime before, Calendar calendar, IReadOnlyDictionary<string, FingerprintState> pruned)
    {
        private string? ended; // a fingerprint whose next event is young
        private string? current;
        private int taken;

        public Dictionary<string, FingerprintState> Taken { get; } = [];

        /// <summary>What the taken events gave the rollups.</summary>
        public RollupDeltas Rollups { get; } = [];

        /// <summary>What they gave the dimensions.</summary>
        public RemovedDimensions Dimensions { get; } = new(calendar);

        public long Events { get; private set; }

        /// <summary>The number of events of the fingerprint that has most.</summary>
        public int Largest { get; private set; }

        /// <summary>Takes an event if it is old. A fingerprint's events come by sequence.</summary>
        public void Take(LogRow logged)
        {
            var recorded = logged.Recorded;
            if (recorded.Fingerprint != current) (current, taken) = (recorded.Fingerprint, 0);
            if (ended == current) return;
            var state = Taken.GetValueOrDefault(current) ?? pruned.GetValueOrDefault(current) ?? new();
            // A gap in the log is for app verify to report, and not to be folded over.
            if (recorded.Event.Created >= before || recorded.Sequence != state.Sequence + 1)
            {
                ended = current;
                return;
            }
            Dimensions.Add(logged);
            Rollups.Add(new Decisions(current, state, int.MaxValue, calendar).Next(recorded.Event)!);
            state.Apply(recorded, calendar);
            Taken[current] = state;
            Events++;
            Largest = Math.Max(Largest, ++taken);
        }
    }
}
