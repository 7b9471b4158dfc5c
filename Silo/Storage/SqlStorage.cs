using System.Data.Common;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>
/// All that the process asks a database for, as far as it is the same for all databases: the scripts have the same
/// names, parameters and columns. A derived class adds how it connects and records, and how its types map.
/// </summary>
/// <remarks>
/// Errors: as of <see cref="IEventLogStorage"/>. A call that was canceled has stopped reading when it throws.
/// </remarks>
public abstract partial class SqlStorage(SqlScripts scripts) : IEventLogStorage
{
    /// <summary>Of a time in JSON, and of one as text: they sort correctly.</summary>
    protected const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    private readonly string readCounters = scripts["read_counters"];
    private readonly string mergeRollups = scripts["merge_rollups"];
    private readonly string mergeVisits = scripts["merge_visits"];

    public abstract Task<long?> TryRecord(
        IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas);

    /// <summary>
    /// Adds up to <paramref name="limit"/> deltas to the rollups and the counters, atomically. Does nothing while
    /// another silo merges.
    /// </summary>
    /// <returns>How many deltas were merged.</returns>
    public async Task<int> MergeRollups(int limit) => (int)await Merge(mergeRollups, Parameter("limit", limit));

    /// <summary>The same for up to <paramref name="limit"/> commits' visits.</summary>
    /// <inheritdoc cref="MergeRollups"/>
    public async Task<int> MergeVisits(int limit) => (int)await Merge(mergeVisits, Parameter("limit", limit));

    /// <summary>
    /// The pairs of product and action that were merged, by their numbers, after the number <paramref name="id"/>.
    /// </summary>
    public async Task<IReadOnlyList<(long Id, string Product, string Action)>> ReadCounters(long id) =>
        await Query(readCounters, row => (row.GetInt64(0), row.GetString(1), row.GetString(2)), Parameter("id", id));

    /// <summary>Completes when the log can be written.</summary>
    /// <exception cref="EventLogUnavailableException">It cannot.</exception>
    public abstract Task CheckWritable(CancellationToken cancellation);

    /// <summary>Runs a script in a transaction, unless another silo runs one.</summary>
    /// <returns>The script's result; 0 if it did not run.</returns>
    protected abstract Task<long> Merge(string script, params DbParameter[] parameters);

    /// <summary>A connection from the pool.</summary>
    protected abstract ValueTask<DbConnection> Open(CancellationToken cancellation);

    /// <summary>Lets a cancellation stop what the connection is doing, if the driver does not do that itself.</summary>
    protected virtual IDisposable? InterruptOn(DbConnection connection, CancellationToken cancellation) => null;

    protected abstract DbParameter Parameter(string name, object value);
    protected abstract DbParameter Time(string name, DateTime value);
    protected abstract DbParameter Texts(string name, IEnumerable<string> values);
    protected abstract DbParameter Id(string name, Guid value);
    protected abstract DbParameter Ids(string name, IEnumerable<Guid> values);
    protected abstract DbParameter Days(string name, IEnumerable<DateOnly> values);
    protected abstract DbParameter Numbers(string name, IEnumerable<long> values);
    protected abstract DbParameter Blobs(string name, IEnumerable<byte[]> values);
    protected abstract DateTime ReadTime(DbDataReader row, int column);

    protected DbParameter Optional(string name, string? value) => Parameter(name, value ?? (object)DBNull.Value);

    /// <summary>
    /// Whether an exception comes from the database or the connection, and not from a mistake in this program.
    /// </summary>
    protected abstract bool IsDatabaseFailure(Exception exception);

    /// <summary>After a lost connection, closes the pool's other connections, which are most likely lost too.</summary>
    /// <returns>False if it makes no sense to try again.</returns>
    protected virtual bool TryForgetConnections(Exception exception) => false;

    // The message quotes nothing of the driver's: its texts may hold values, which are people's.
    protected static EventLogUnavailableException Unavailable(Exception cause) =>
        new("The database does not answer.", cause);

    private Task<List<T>> Query<T>(string sql, Func<DbDataReader, T> map, params DbParameter[] parameters) =>
        Query(sql, map, parameters, Open, CancellationToken.None);

    private async Task<List<T>> Query<T>(string sql, Func<DbDataReader, T> map, DbParameter[] parameters,
        Func<CancellationToken, ValueTask<DbConnection>> open, CancellationToken cancellation,
        Predicate<T>? isLast = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await QueryOnce(sql, map, parameters, open, isLast, cancellation);
            }
            catch (Exception exception) when (IsDatabaseFailure(exception))
            {
                cancellation.ThrowIfCancellationRequested();
                if (attempt > 1 || !TryForgetConnections(exception)) throw Unavailable(exception);
            }
        }
    }

    private async Task<List<T>> QueryOnce<T>(string sql, Func<DbDataReader, T> map, DbParameter[] parameters,
        Func<CancellationToken, ValueTask<DbConnection>> open, Predicate<T>? isLast, CancellationToken cancellation)
    {
        var result = new List<T>();
        await ReadRows(sql, row =>
        {
            result.Add(map(row));
            return isLast?.Invoke(result[^1]) != true;
        }, parameters, open, cancellation);
        return result;
    }

    /// <param name="goesOn">Takes a row, and says whether there should be another.</param>
    private async Task ReadRows(string sql, Func<DbDataReader, bool> goesOn, DbParameter[] parameters,
        Func<CancellationToken, ValueTask<DbConnection>> open, CancellationToken cancellation)
    {
        await using var connection = await open(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddRange(parameters);
        try
        {
            using var interrupting = InterruptOn(connection, cancellation);
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation))
                if (!goesOn(rows)) break;
        }
        finally
        {
            command.Parameters.Clear(); // a parameter belongs to one command, and the next attempt has another
        }
    }

    protected static async Task<List<T>> Query<T>(
        DbTransaction at, string sql, Func<DbDataReader, T> map, params DbParameter[] parameters)
    {
        var result = new List<T>();
        await ReadRows(at, sql, row =>
        {
            result.Add(map(row));
            return true;
        }, parameters);
        return result;
    }

    /// <param name="goesOn">Takes a row, and says whether there should be another.</param>
    private static async Task ReadRows(
        DbTransaction at, string sql, Func<DbDataReader, bool> goesOn, params DbParameter[] parameters)
    {
        await using var command = CreateCommand(at, sql, parameters);
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync())
            if (!goesOn(rows)) break;
    }

    /// <returns>How many rows were changed.</returns>
    protected static async Task<int> Execute(DbTransaction at, string sql, params DbParameter[] parameters)
    {
        await using var command = CreateCommand(at, sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    private static DbCommand CreateCommand(DbTransaction at, string sql, DbParameter[] parameters)
    {
        var command = at.Connection!.CreateCommand();
        command.Transaction = at;
        command.CommandText = sql;
        command.CommandTimeout = 0; // a long history takes as long as it takes
        command.Parameters.AddRange(parameters);
        return command;
    }

    private RecordedEvent ReadEvent(DbDataReader row) => new(row.GetString(0), row.GetInt64(1),
        new Event(row.GetGuid(2), row.GetString(3), row.GetString(4), ReadTime(row, 5), ReadTime(row, 6),
            row.IsDBNull(7) ? null : row.GetString(7)));

    // The columns behind time, product and action.
    private static RollupCounts ReadRollupCounts(DbDataReader row) =>
        new(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7));
}
