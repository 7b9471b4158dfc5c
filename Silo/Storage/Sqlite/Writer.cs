using System.Data.Common;
using Microsoft.Data.Sqlite;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>
/// The one connection that writes, with its prepared statements. Only one caller at a time may use it.
/// </summary>
internal sealed class Writer : IDisposable
{
    private readonly DbConnection connection;
    private readonly DbCommand insertEvent;
    private readonly DbCommand insertDelta;
    private readonly DbCommand insertVisits;
    private readonly DbCommand insertDimensions;
    private readonly DbCommand insertFiring;
    private readonly DbCommand insertDeadline;
    private readonly DbCommand deleteMetDeadline;
    private readonly DbCommand addRemoved;

    public Writer(DbConnection connection)
    {
        this.connection = connection;
        string[] counts = ["product", "action", "events",
            "new_fingerprints", "new_product_fingerprints", "daily_fingerprints", "daily_product_fingerprints"];
        insertEvent = Prepare("insert_event",
            "fingerprint", "sequence", "id", "action", "product", "created", "occurred", "properties", "follows",
            "dimensions", "rules", "matched");
        insertDelta = Prepare("insert_delta", ["minute", "hour", "day", .. counts]);
        insertVisits = Prepare("insert_visits", "visits");
        insertDimensions = Prepare("insert_dimensions", "counts");
        insertFiring = Prepare("insert_firing", "rule", "fingerprint", "sequence", "occurred", "is_told");
        insertDeadline = Prepare("insert_deadline", "rule", "fingerprint", "sequence", "occurred", "due");
        deleteMetDeadline = Prepare("delete_met_deadline", "rule", "fingerprint", "sequence");
        addRemoved = Prepare("add_removed_rollup", ["minute", .. counts]);
    }

    public bool Record(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas,
        DimensionDelta? dimensions, DimensionSet counted, Calendar calendar)
    {
        using var transaction = Begin();
        // The first event of each run comes first, and of one fingerprint's runs the later one: what a run follows must
        // be in the log without this batch. Returning early rolls back.
        var follows = starts.Select(start => (start.Fingerprint, start.Follows)).ToHashSet();
        bool BeginsRun(RecordedEvent recorded) => follows.Contains((recorded.Fingerprint, recorded.Sequence - 1));
        foreach (var first in events.Where(BeginsRun).OrderByDescending(recorded => recorded.Sequence))
            if (!TryInsert(transaction, first, first.Sequence - 1, counted)) return false;
        foreach (var recorded in events)
            if (!BeginsRun(recorded) && !TryInsert(transaction, recorded, null, counted)) return false;
        Add(transaction, deltas, calendar);
        Add(transaction, VisitDelta.From(events, calendar));
        if (dimensions is not null) Add(transaction, dimensions);
        if (RuleEffects.From(events) is { } effects) Add(transaction, effects);
        Commit(transaction);
        return true;
    }

    private bool TryInsert(DbTransaction transaction, RecordedEvent recorded, long? follows, DimensionSet counted)
    {
        var e = recorded.Event;
        return Execute(insertEvent, transaction, recorded.Fingerprint, recorded.Sequence, e.Id.ToString(),
            e.Action, e.Product, SqliteStorage.Text(e.Created), SqliteStorage.Text(e.Occurred), e.Properties,
            follows, e.Properties is null || counted.Id == 0 ? null : counted.Id, recorded.Marks?.Set.Id,
            recorded.Marks?.Text) == 1;
    }

    public void Add(
        DbTransaction transaction, IEnumerable<KeyValuePair<RollupKey, RollupCounts>> deltas, Calendar calendar)
    {
        foreach (var (key, counts) in deltas)
            Execute(insertDelta, transaction, SqliteStorage.Text(key.Minute),
                SqliteStorage.Text(calendar.HourOf(key.Minute)), SqliteStorage.Text(calendar.DayOf(key.Minute)),
                key.Product, key.Action, counts.Events, counts.NewFingerprints, counts.NewProductFingerprints,
                counts.DailyFingerprints, counts.DailyProductFingerprints);
    }

    public void Add(DbTransaction transaction, VisitDelta visits) =>
        Execute(insertVisits, transaction, VisitJson.Write(visits));

    public void Add(DbTransaction transaction, DimensionDelta dimensions) =>
        Execute(insertDimensions, transaction, DimensionJson.Write(dimensions));

    private void Add(DbTransaction transaction, RuleEffects effects)
    {
        foreach (var one in effects.Firings)
            Execute(insertFiring, transaction, one.Rule.Id, one.Fingerprint, one.Sequence,
                SqliteStorage.Text(one.Occurred), one.Rule.Definition.Webhook is not null);
        foreach (var one in effects.Deadlines)
            Execute(insertDeadline, transaction, one.Rule.Id, one.Fingerprint, one.Sequence,
                SqliteStorage.Text(one.Occurred), SqliteStorage.Text(one.Due));
        foreach (var one in effects.Met) // last: it may have been set by the same batch
            Execute(deleteMetDeadline, transaction, one.Rule.Id, one.Fingerprint, one.Sequence);
    }

    public void AddRemoved(DbTransaction transaction, IEnumerable<KeyValuePair<RollupKey, RollupCounts>> removed)
    {
        foreach (var (key, counts) in removed)
            Execute(addRemoved, transaction, SqliteStorage.Text(key.Minute), key.Product, key.Action, counts.Events,
                counts.NewFingerprints, counts.NewProductFingerprints, counts.DailyFingerprints,
                counts.DailyProductFingerprints);
    }

    // The driver's asynchronous calls block, so the task has completed when it comes back.
    public T? InTransaction<T>(Func<DbTransaction, Task<T?>> work) where T : class
    {
        using var transaction = Begin();
        var result = work(transaction).GetAwaiter().GetResult();
        if (result is not null) Commit(transaction);
        return result;
    }

    /// <summary>
    /// Empties the write-ahead log, which may hold removed rows. While somebody reads an older snapshot, it does what
    /// it can.
    /// </summary>
    public bool EmptyLog()
    {
        using var command = connection.CreateCommand();
        command.CommandText = SqliteStorage.Scripts["empty_log"];
        command.ExecuteNonQuery();
        return true;
    }

    public long Merge(string script, DbParameter[] parameters)
    {
        using var transaction = Begin();
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = script;
        command.Parameters.AddRange(parameters);
        var merged = (long)command.ExecuteScalar()!;
        Commit(transaction);
        return merged;
    }

    public bool CheckWritable()
    {
        using var transaction = Begin();
        return true;
    }

    public void Dispose() => connection.Dispose();

    // This is "begin immediate": it waits for the write lock now, so that no later statement fails for want of it.
    private DbTransaction Begin() => connection.BeginTransaction(System.Data.IsolationLevel.Serializable);

    private static void Commit(DbTransaction transaction)
    {
        try
        {
            transaction.Commit();
        }
        catch (SqliteException exception) when (!IsNotCommitted(exception))
        {
            throw new CommitUnknownException(exception);
        }
    }

    // A transaction is committed once its last frame is in the write-ahead log; the frame's checksum covers all before
    // it. If writing the frames failed, as on a full disk, nothing is committed. If flushing them failed, it may be.
    private static bool IsNotCommitted(SqliteException exception) =>
        exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_READONLY
            or SQLitePCL.raw.SQLITE_BUSY
        || exception.SqliteExtendedErrorCode == SQLitePCL.raw.SQLITE_IOERR_WRITE;

    private DbCommand Prepare(string script, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = SqliteStorage.Scripts[script];
        foreach (var name in parameters) command.Parameters.Add(new SqliteParameter { ParameterName = "@" + name });
        command.Prepare();
        return command;
    }

    private static int Execute(DbCommand command, DbTransaction transaction, params ReadOnlySpan<object?> values)
    {
        command.Transaction = transaction;
        for (var i = 0; i < values.Length; i++) command.Parameters[i].Value = values[i] ?? DBNull.Value;
        return command.ExecuteNonQuery();
    }
}
