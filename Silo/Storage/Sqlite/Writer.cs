using System.Data.Common;
using Microsoft.Data.Sqlite;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>The one connection that writes the log, with its prepared statements. Used by one caller at a time.</summary>
internal sealed class Writer : IDisposable
{
    private readonly DbConnection connection;
    private readonly DbCommand insertEvent;
    private readonly DbCommand insertDelta;
    private readonly DbCommand insertVisits;
    private readonly DbCommand addRemoved;

    public Writer(DbConnection connection)
    {
        this.connection = connection;
        string[] delta = ["minute", "product", "action", "events",
            "new_fingerprints", "new_product_fingerprints", "daily_fingerprints", "daily_product_fingerprints"];
        insertEvent = Prepare("insert_event",
            "fingerprint", "sequence", "id", "action", "product", "created", "occurred", "properties", "follows");
        insertDelta = Prepare("insert_delta", delta);
        insertVisits = Prepare("insert_visits", "visits");
        addRemoved = Prepare("add_removed_rollup", delta);
    }

    public bool Record(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas)
    {
        using var transaction = Begin();
        // The runs' first events first, and of one fingerprint the later ones: what each follows has to be there without this
        // batch. Leaving rolls back.
        var follows = starts.Select(start => (start.Fingerprint, start.Follows)).ToHashSet();
        bool BeginsRun(RecordedEvent recorded) => follows.Contains((recorded.Fingerprint, recorded.Sequence - 1));
        foreach (var first in events.Where(BeginsRun).OrderByDescending(recorded => recorded.Sequence))
            if (!TryInsert(transaction, first, first.Sequence - 1)) return false;
        foreach (var recorded in events)
            if (!BeginsRun(recorded) && !TryInsert(transaction, recorded, null)) return false;
        foreach (var (key, counts) in deltas) Add(insertDelta, transaction, key, counts);
        Execute(insertVisits, transaction, VisitJson.Of(VisitDelta.Of(events)));
        Commit(transaction);
        return true;
    }

    private bool TryInsert(DbTransaction transaction, RecordedEvent recorded, long? follows)
    {
        var e = recorded.Event;
        return Execute(insertEvent, transaction, recorded.Fingerprint, recorded.Sequence, e.Id.ToString(),
            e.Action, e.Product, SqliteEventLog.Text(e.Created), SqliteEventLog.Text(e.Occurred), e.Properties, follows) == 1;
    }

    public void AddRemoved(DbTransaction transaction, IEnumerable<KeyValuePair<RollupKey, RollupCounts>> removed)
    {
        foreach (var (key, counts) in removed) Add(addRemoved, transaction, key, counts);
    }

    private static void Add(DbCommand command, DbTransaction transaction, RollupKey key, RollupCounts counts) =>
        Execute(command, transaction, SqliteEventLog.Text(key.Minute), key.Product, key.Action, counts.Events,
            counts.NewFingerprints, counts.NewProductFingerprints, counts.DailyFingerprints, counts.DailyProductFingerprints);

    // SQLite's asynchronous calls are its blocking ones: the task that comes back is done.
    public T? InTransaction<T>(Func<DbTransaction, Task<T?>> work) where T : class
    {
        using var transaction = Begin();
        var result = work(transaction).GetAwaiter().GetResult();
        if (result is not null) Commit(transaction);
        return result;
    }

    /// <summary>
    /// Takes what was removed out of the write-ahead log too, unless somebody still reads as of before: then its next pass
    /// overwrites it.
    /// </summary>
    public bool EmptyLog()
    {
        using var command = connection.CreateCommand();
        command.CommandText = SqliteEventLog.Scripts["empty_log"];
        command.ExecuteNonQuery();
        return true;
    }

    public int Merge(string script, int limit)
    {
        using var transaction = Begin();
        using var command = connection.CreateCommand();
        command.Transaction = transaction;
        command.CommandText = script;
        command.Parameters.Add(new SqliteParameter("@limit", limit));
        var merged = Convert.ToInt32(command.ExecuteScalar(), provider: null);
        Commit(transaction);
        return merged;
    }

    public bool CheckWritable()
    {
        using var transaction = Begin();
        return true;
    }

    public void Dispose() => connection.Dispose();

    // "begin immediate": waits for the write lock now, so that no statement in the middle fails for it.
    private DbTransaction Begin() => connection.BeginTransaction(System.Data.IsolationLevel.Serializable);

    private static void Commit(DbTransaction transaction)
    {
        try
        {
            transaction.Commit();
        }
        catch (SqliteException exception) when (!SurelyNotCommitted(exception))
        {
            throw new CommitUnknownException(exception);
        }
    }

    // A commit counts from its last frame in the write-ahead log on, whose checksum covers all before it. Where
    // writing the frames failed, as on a full disk, it is not there; where flushing them failed, it may be.
    private static bool SurelyNotCommitted(SqliteException exception) =>
        exception.SqliteErrorCode is SQLitePCL.raw.SQLITE_FULL or SQLitePCL.raw.SQLITE_READONLY or SQLitePCL.raw.SQLITE_BUSY
        || exception.SqliteExtendedErrorCode == SQLitePCL.raw.SQLITE_IOERR_WRITE;

    private DbCommand Prepare(string script, params string[] parameters)
    {
        var command = connection.CreateCommand();
        command.CommandText = SqliteEventLog.Scripts[script];
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
