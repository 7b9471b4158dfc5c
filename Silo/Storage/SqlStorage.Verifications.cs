namespace Tally.Silo.Storage;

/// <summary>A proof that somebody asked for, as the database keeps it.</summary>
/// <param name="Silo">The name of the silo that runs it.</param>
/// <param name="Seen">When that silo last wrote it.</param>
/// <param name="Ended">Null while it runs.</param>
/// <param name="Differences">Null if it did not come to its end.</param>
/// <param name="Found">The first of the differences.</param>
/// <param name="Reason">Why it did not come to its end.</param>
public sealed record StoredVerification(long Id, string Silo, DateTime Begun, DateTime Seen, DateTime? Ended,
    double Progress, long Events, long Fingerprints, long? Differences, IReadOnlyList<string> Found, string? Reason);

/// <param name="Version">Of the database's software.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Events">In the log.</param>
public sealed record DatabaseFigures(string Version, long Bytes, long Events);

/// <summary>Verifications: all silos tell the same of them, and one runs at a time.</summary>
public abstract partial class SqlStorage
{
    private readonly string beginVerification = scripts["begin_verification"];
    private readonly string noteVerification = scripts["note_verification"];
    private readonly string readVerifications = scripts["read_verifications"];
    private readonly string readDatabase = scripts["read_database"];

    /// <summary>Begins a verification, and removes old ones.</summary>
    /// <param name="silo">Who runs it.</param>
    /// <param name="now">When it begins.</param>
    /// <param name="lost">One that was last seen before is over.</param>
    /// <param name="kept">How many stay, beside the last that held.</param>
    /// <returns>Its number; null while another one runs.</returns>
    public async Task<long?> BeginVerification(string silo, DateTime now, DateTime lost, int kept) =>
        await Query(beginVerification, row => row.GetInt64(0), Parameter("silo", silo), Time("begun", now),
            Time("lost", lost), Parameter("kept", kept)) is [var id] ? id : null;

    /// <summary>Keeps what has become of a verification.</summary>
    /// <returns>False if it is over.</returns>
    public async Task<bool> NoteVerification(StoredVerification now) =>
        (await Query(noteVerification, _ => true, Parameter("id", now.Id), Time("seen", now.Seen),
            now.Ended is { } ended ? Time("ended", ended) : Parameter("ended", DBNull.Value),
            Parameter("progress", now.Progress), Parameter("events", now.Events),
            Parameter("fingerprints", now.Fingerprints),
            Parameter("differences", now.Differences ?? (object)DBNull.Value),
            Parameter("found", string.Join('\n', now.Found)), Optional("reason", now.Reason))).Count > 0;

    /// <summary>All that are kept, the newest first.</summary>
    public async Task<IReadOnlyList<StoredVerification>> ReadVerifications() =>
        await Query(readVerifications, row => new StoredVerification(row.GetInt64(0), row.GetString(1),
            ReadTime(row, 2), ReadTime(row, 3), row.IsDBNull(4) ? null : ReadTime(row, 4), row.GetDouble(5),
            row.GetInt64(6), row.GetInt64(7), row.IsDBNull(8) ? null : row.GetInt64(8),
            row.GetString(9) is { Length: > 0 } found ? found.Split('\n') : [],
            row.IsDBNull(10) ? null : row.GetString(10)));

    /// <summary>The name of the database's software.</summary>
    public abstract string Kind { get; }

    /// <summary>What the database is.</summary>
    public async Task<DatabaseFigures> ReadDatabase(CancellationToken cancellation) =>
        (await Query(readDatabase, row => new DatabaseFigures(row.GetString(0), row.GetInt64(1), row.GetInt64(2)), [],
            OpenForQuestion, cancellation))[0];
}
