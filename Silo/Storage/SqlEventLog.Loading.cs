using System.Data.Common;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How fingerprints are loaded.</summary>
public abstract partial class SqlEventLog
{
    private readonly string readNewest = scripts["read_newest"];
    private readonly string readSuppressed = scripts["read_suppressed"];

    public async Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit)
    {
        var rows = await Read(readNewest, ReadNewestRow, Texts("fingerprints", fingerprints), Parameter("limit", limit));
        var events = rows.Where(row => row.Event is not null).ToLookup(row => row.Event!.Fingerprint, row => row.Event!);
        var remains = new Dictionary<string, Remains>();
        foreach (var row in rows)
            if (row.Pruned is not null) remains.Add(row.Fingerprint!, new(row.Pruned, Suppressed: false));
        // Hardly any service suppresses: a hash for each new fingerprint, and asking for it, is for those that do. One that is
        // suppressed only now is no concern of this load: its erasure goes through the activation that is there before.
        var (removalEpoch, someAreSuppressed) = rows.Single(row => row.Fingerprint is null).Log;
        if (someAreSuppressed)
            foreach (var fingerprint in await ReadSuppressed([.. fingerprints.Where(fingerprint => !events.Contains(fingerprint))]))
                remains[fingerprint] = new(remains.GetValueOrDefault(fingerprint)?.Pruned, Suppressed: true);
        return new(events, remains, removalEpoch);
    }

    private async Task<List<string>> ReadSuppressed(string[] fingerprints)
    {
        if (fingerprints.Length == 0) return [];
        var key = await SuppressionKey();
        return await Read(readSuppressed, row => row.GetString(0),
            Texts("fingerprints", fingerprints), Hashes("hashes", fingerprints.Select(fingerprint => HashOf(fingerprint, key))));
    }

    // An event; or what is pruned of a fingerprint without events; or, once and of no fingerprint, what there is to know of the log.
    private (string? Fingerprint, RecordedEvent? Event, FingerprintState? Pruned, (long RemovalEpoch, bool SomeAreSuppressed) Log) ReadNewestRow(DbDataReader row) =>
        row.IsDBNull(0) ? (null, null, null, (row.GetInt64(1), !row.IsDBNull(3)))
        : row.IsDBNull(1) ? (row.GetString(0), null, StoredStates.Read(row.GetFieldValue<byte[]>(8)), default)
        : (row.GetString(0), ReadEvent(row), null, default);
}
