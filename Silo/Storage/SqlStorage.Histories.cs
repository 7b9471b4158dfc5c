using System.Data.Common;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How fingerprints' histories are read.</summary>
public abstract partial class SqlStorage
{
    private readonly string findRepeats = scripts["find_repeats"];
    private readonly string readHeads = scripts["read_heads"];
    private readonly string readPage = scripts["read_page"];
    private readonly string readTimeline = scripts["read_timeline"];
    private readonly string readById = scripts["read_by_id"];
    private readonly string readPruned = scripts["read_pruned"];
    private readonly string readNewest = scripts["read_newest"];
    private readonly string findSuppressed = scripts["find_suppressed"];
    private readonly string readFingerprints = scripts["read_fingerprints"];

    public async Task<IReadOnlyList<RecordedEvent>> FindRepeats(IReadOnlyList<RecordedEvent> events) =>
        await Query(findRepeats, ReadEvent,
            Texts("fingerprints", events.Select(e => e.Fingerprint)), Ids("ids", events.Select(e => e.Event.Id)));

    public async Task<IReadOnlyDictionary<string, long>> ReadHeads(IReadOnlyCollection<string> fingerprints) =>
        (await Query(readHeads, row => (row.GetString(0), row.GetInt64(1)),
            Texts("fingerprints", fingerprints))).ToDictionary();

    public async Task<IReadOnlyList<RecordedEvent>> ReadAfter(
        string fingerprint, long sequence, int limit, int bytesMax = int.MaxValue,
        CancellationToken cancellation = default) =>
        await KnowingRules(() => Query(readPage, row => ReadFolded(row, 8),
        [
            Parameter("fingerprint", fingerprint), Parameter("sequence", sequence),
            Parameter("limit", limit), Parameter("bytes", bytesMax),
        ], Open, cancellation));

    /// <summary>Events by the time at which they happened, newest first; those of one time by sequence.</summary>
    /// <param name="to">UTC: only events before.</param>
    /// <param name="sequence">Only what comes after this event; 0 for all. Nothing does if it is gone.</param>
    public async Task<IReadOnlyList<RecordedEvent>> ReadTimeline(string fingerprint, DateTime to, long sequence,
        int limit, int bytesMax, CancellationToken cancellation) =>
        await Scan(readTimeline, ReadEvent, cancellation,
            Parameter("fingerprint", fingerprint), Time("to", to), Parameter("sequence", sequence),
            Parameter("limit", limit), Parameter("bytes", bytesMax));

    /// <summary>The events with an id, without their properties, by fingerprint in the order of bytes.</summary>
    /// <param name="fingerprint">Only this one's; null for all.</param>
    public async Task<IReadOnlyList<RecordedEvent>> ReadById(
        Guid id, string? fingerprint, int limit, CancellationToken cancellation) =>
        await Query(readById, ReadEvent,
            [Id("id", id), Optional("fingerprint", fingerprint), Parameter("limit", limit)], Open, cancellation);

    /// <summary>Fingerprints with events, in the order of their bytes.</summary>
    /// <inheritdoc cref="ReadAges"/>
    public async Task<IReadOnlyList<string>> ReadFingerprints(string after, int limit) =>
        await Query(readFingerprints, row => row.GetString(0), Parameter("after", after), Parameter("limit", limit));

    public async Task<FingerprintState?> ReadPruned(string fingerprint) =>
        (await Query(readPruned, ReadState, Parameter("fingerprint", fingerprint))).SingleOrDefault();

    public async Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit)
    {
        var rows = await KnowingRules(() => Query(readNewest, ReadNewestRow,
            Texts("fingerprints", fingerprints), Parameter("limit", limit)));
        var events = rows.Select(row => row.Event).OfType<RecordedEvent>().ToLookup(recorded => recorded.Fingerprint);
        var remains = new Dictionary<string, Remains>();
        foreach (var row in rows)
            if (row.Pruned is not null) remains.Add(row.Fingerprint!, new(row.Pruned, Suppressed: false));
        // Few services suppress anything: the others pay for no hashes and no second query. A suppression that comes
        // between the two queries does not matter to this load, because its erasure goes through the activation that is
        // there before.
        var (removalEpoch, someAreSuppressed) = rows.Single(row => row.Fingerprint is null).Log;
        if (someAreSuppressed)
            foreach (var fingerprint in await FindSuppressed([.. fingerprints.Where(one => !events.Contains(one))]))
                remains[fingerprint] = new(remains.GetValueOrDefault(fingerprint)?.Pruned, Suppressed: true);
        return new(events, remains, removalEpoch, someAreSuppressed);
    }

    private async Task<List<string>> FindSuppressed(string[] fingerprints)
    {
        if (fingerprints.Length == 0) return [];
        var key = await ReadSuppressionKey();
        return await Query(findSuppressed, row => row.GetString(0),
            Texts("fingerprints", fingerprints), Blobs("hashes", fingerprints.Select(one => Hash(one, key))));
    }

    // An event; or the state of a fingerprint whose events are all pruned; or, once and without a fingerprint, facts
    // about the whole log.
    private (string? Fingerprint, RecordedEvent? Event, FingerprintState? Pruned,
        (long RemovalEpoch, bool SomeAreSuppressed) Log) ReadNewestRow(DbDataReader row) =>
        row.IsDBNull(0) ? (null, null, null, (row.GetInt64(1), !row.IsDBNull(3)))
        : row.IsDBNull(1) ? (row.GetString(0), null, StoredStates.Deserialize(row.GetFieldValue<byte[]>(8)), default)
        : (row.GetString(0), ReadFolded(row, 9), null, default);

    private RecordedEvent ReadFolded(DbDataReader row, int marks) =>
        ReadEvent(row) with { Marks = ReadMarks(row, marks, Rules) };

    private static FingerprintState ReadState(DbDataReader row) =>
        StoredStates.Deserialize(row.GetFieldValue<byte[]>(0));
}
