using System.Data.Common;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How old events leave.</summary>
public abstract partial class SqlEventLog : IRetentionStorage
{
    private readonly string readAges = scripts["read_ages"];
    private readonly string readPrunedWhole = scripts["read_pruned_whole"];
    private readonly string readPrunedOf = scripts["read_pruned_of"];
    private readonly string readOldest = scripts["read_oldest"];
    private readonly string deleteOldest = scripts["delete_oldest"];
    private readonly string readBelow = scripts["read_below"];
    private readonly string putPruned = scripts["put_pruned"];

    public abstract Task<IAsyncDisposable?> TryLead();

    public async Task<IReadOnlyList<AgeOfFingerprint>> ReadAges(string after, int limit) =>
        await Read(readAges, row => new AgeOfFingerprint(row.GetString(0), ReadTime(row, 1), ReadTime(row, 2)),
            Parameter("after", after), Parameter("limit", limit));

    public async Task<IReadOnlyList<string>> ReadPrunedWhole(string after, int limit) =>
        await Read(readPrunedWhole, row => row.GetString(0), Parameter("after", after), Parameter("limit", limit));

    public Task<Pruned?> Prune(IReadOnlyList<string> fingerprints, DateTime before, int eventsEach) =>
        Remove(fingerprints, at => FoldOldest(at, fingerprints, before, eventsEach), (at, step) => Prune(at, step, eventsEach));

    private async Task<PruningStep> FoldOldest(DbTransaction at, IReadOnlyList<string> fingerprints, DateTime before, int eventsEach)
    {
        var step = new PruningStep(before, await Read(at, readPrunedOf,
            row => (row.GetString(0), StoredStates.Read(row.GetFieldValue<byte[]>(1))), Texts("fingerprints", fingerprints)));
        foreach (var recorded in await Read(at, readOldest, ReadEvent, Texts("fingerprints", fingerprints), Parameter("limit", eventsEach)))
            step.Take(recorded);
        return step;
    }

    // As an erasure: the work first and the lock last, and whatever was written meanwhile below what is pruned is found then.
    private async Task<Pruned?> Prune(DbTransaction at, PruningStep step, int eventsEach)
    {
        if (step.Events == 0) return new(0, false);

        (string[] Fingerprints, long[] Sequences) up = ([.. step.Taken.Keys], [.. step.Taken.Values.Select(state => state.Sequence)]);
        if (await Execute(at, deleteOldest, Texts("fingerprints", up.Fingerprints), Numbers("sequences", up.Sequences)) != step.Events) return null;
        await AddRemoved(at, step.Gone);

        await RaiseRemovalEpoch(at);
        if ((await Read(at, readBelow, row => row.GetInt64(0), Texts("fingerprints", up.Fingerprints), Numbers("sequences", up.Sequences))).Count > 0)
            return null;
        await Execute(at, putPruned, Texts("fingerprints", up.Fingerprints), Numbers("sequences", up.Sequences),
            Hashes("states", step.Taken.Values.Select(StoredStates.Write)));
        return new(step.Events, step.Largest == eventsEach);
    }

    /// <summary>Folds the old events of some fingerprints onto what was pruned of them before.</summary>
    private sealed class PruningStep(DateTime before, IEnumerable<(string Fingerprint, FingerprintState State)> pruned)
    {
        private readonly Dictionary<string, FingerprintState> pruned = pruned.ToDictionary(one => one.Fingerprint, one => one.State);
        private string? ended; // a fingerprint whose next event is young
        private string? current;
        private int taken;

        public Dictionary<string, FingerprintState> Taken { get; } = [];
        public RollupDeltas Gone { get; } = [];
        public long Events { get; private set; }

        /// <summary>Events of the fingerprint that has most.</summary>
        public int Largest { get; private set; }

        /// <summary>A fingerprint's events come by sequence.</summary>
        public void Take(RecordedEvent recorded)
        {
            if (recorded.Fingerprint != current) (current, taken) = (recorded.Fingerprint, 0);
            if (ended == current) return;
            var state = Taken.GetValueOrDefault(current) ?? pruned.GetValueOrDefault(current) ?? new();
            // A log with a gap is for app verify, not for the fold.
            if (recorded.Event.Created >= before || recorded.Sequence != state.Sequence + 1)
            {
                ended = current;
                return;
            }
            Gone.Add(new Decisions(current, state, int.MaxValue).Next(recorded.Event)!);
            state.Apply(recorded);
            Taken[current] = state;
            Events++;
            Largest = Math.Max(Largest, ++taken);
        }
    }
}
