using System.Data.Common;
using System.Runtime.CompilerServices;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>
/// What every database answers alike: the scripts have the same names, parameters and columns. A database adds how it
/// records, how it connects, and how its types map.
/// </summary>
public abstract partial class SqlEventLog(SqlScripts scripts) : IEventLogStorage, IDailySaltStorage
{
    private readonly string findRepeats = scripts["find_repeats"];
    private readonly string readHeads = scripts["read_heads"];
    private readonly string readAfter = scripts["read_after"];
    private readonly string readPage = scripts["read_page"];
    private readonly string readCounters = scripts["read_counters"];
    private readonly string takeSalt = scripts["take_salt"];
    private readonly string destroySalt = scripts["destroy_salt"];
    private readonly string auditEvents = scripts["audit_events"];
    private readonly string auditStates = scripts["audit_states"];
    private readonly string auditRollups = scripts["audit_rollups"];
    private readonly string auditRollupHours = scripts["audit_rollup_hours"];
    private readonly string auditVisits = scripts["audit_visits"];
    private readonly string auditRemovedRollups = scripts["audit_removed_rollups"];

    public abstract Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas);

    public abstract Task<int> MergeRollups(int limit);

    public abstract Task CheckWritable(CancellationToken cancellation);

    public async Task<IReadOnlyList<RecordedEvent>> FindRepeats(IReadOnlyList<RecordedEvent> events) =>
        await Read(findRepeats, ReadEvent,
            Texts("fingerprints", events.Select(e => e.Fingerprint)), Ids("ids", events.Select(e => e.Event.Id)));

    public async Task<IReadOnlyDictionary<string, long>> ReadHeads(IReadOnlyCollection<string> fingerprints) =>
        (await Read(readHeads, row => (Fingerprint: row.GetString(0), Head: row.GetInt64(1)), Texts("fingerprints", fingerprints)))
            .ToDictionary(row => row.Fingerprint, row => row.Head);

    public async Task<IReadOnlyList<RecordedEvent>> ReadAfter(
        string fingerprint, long sequence, int limit, int bytesMax, CancellationToken cancellation) => await Read(readPage, ReadEvent,
        [Parameter("fingerprint", fingerprint), Parameter("sequence", sequence), Parameter("limit", limit), Parameter("bytes", bytesMax)], Open, cancellation);

    public async Task<IReadOnlyList<(long Id, string Product, string Action)>> ReadCounters(long id) =>
        await Read(readCounters, row => (row.GetInt64(0), row.GetString(1), row.GetString(2)), Parameter("id", id));

    public async Task<DailySalt> TakeSalt(DailySalt fresh) =>
        (await Read(takeSalt, row => new DailySalt(row.GetFieldValue<DateOnly>(0), row.GetFieldValue<byte[]>(1)),
            Parameter("day", fresh.Day), Parameter("salt", fresh.Salt)))[0];

    public Task DestroySalt() => Read(destroySalt, _ => 0);

    public async Task<IEventLogAudit> OpenAudit(CancellationToken cancellation)
    {
        try
        {
            return new Audit(this, await OpenSnapshot(cancellation));
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw Unavailable(exception);
        }
    }

    /// <summary>A connection from the pool.</summary>
    protected abstract ValueTask<DbConnection> Open(CancellationToken cancellation);

    /// <summary>Connections that see the database as of one moment: one for each stream that is read side by side.</summary>
    protected abstract Task<AuditConnections> OpenSnapshot(CancellationToken cancellation);

    protected abstract DbParameter Parameter(string name, object value);
    protected abstract DbParameter Time(string name, DateTime value);
    protected abstract DbParameter Texts(string name, IEnumerable<string> values);
    protected abstract DbParameter Ids(string name, IEnumerable<Guid> values);
    protected abstract DbParameter Days(string name, IEnumerable<DateOnly> values);
    protected abstract DbParameter Numbers(string name, IEnumerable<long> values);
    protected abstract DbParameter Hashes(string name, IEnumerable<byte[]> values);
    protected abstract DateTime ReadTime(DbDataReader row, int column);

    /// <summary>Whether an exception is the database's or the connection's, and not a mistake of this program.</summary>
    protected abstract bool IsDatabaseFailure(Exception exception);

    /// <summary>After a lost connection, the pool's others are as good as lost; another try opens new ones.</summary>
    /// <returns>False where another try makes no sense.</returns>
    protected virtual bool TryForgetConnections(Exception exception) => false;

    /// <summary>
    /// The message carries no text of the driver: its exceptions may quote values, and those are people's.
    /// </summary>
    protected static EventLogUnavailableException Unavailable(Exception cause) => new("The database does not answer.", cause);

    private Task<List<T>> Read<T>(string sql, Func<DbDataReader, T> map, params DbParameter[] parameters) =>
        Read(sql, map, parameters, Open, CancellationToken.None);

    private async Task<List<T>> Read<T>(string sql, Func<DbDataReader, T> map, DbParameter[] parameters,
        Func<CancellationToken, ValueTask<DbConnection>> open, CancellationToken cancellation, Predicate<T>? isLast = null)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await ReadOnce(sql, map, parameters, open, isLast, cancellation);
            }
            catch (Exception exception) when (IsDatabaseFailure(exception))
            {
                cancellation.ThrowIfCancellationRequested();
                if (attempt > 1 || !TryForgetConnections(exception)) throw Unavailable(exception);
            }
        }
    }

    private async Task<List<T>> ReadOnce<T>(string sql, Func<DbDataReader, T> map, DbParameter[] parameters,
        Func<CancellationToken, ValueTask<DbConnection>> open, Predicate<T>? isLast, CancellationToken cancellation)
    {
        await using var connection = await open(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.Parameters.AddRange(parameters);
        try
        {
            using var interrupting = InterruptOn(connection, cancellation);
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            var result = new List<T>();
            while (await rows.ReadAsync(cancellation))
            {
                result.Add(map(rows));
                if (isLast?.Invoke(result[^1]) == true) break;
            }
            return result;
        }
        finally
        {
            command.Parameters.Clear(); // a parameter belongs to one command, and the next try has its own
        }
    }

    private RecordedEvent ReadEvent(DbDataReader row) => new(row.GetString(0), row.GetInt64(1), EventFirsts.None,
        new Event(row.GetGuid(2), row.GetString(3), row.GetString(4), ReadTime(row, 5), ReadTime(row, 6),
            row.IsDBNull(7) ? null : row.GetString(7)));

    private (RollupKey, RollupCounts) ReadRollup(DbDataReader row) => (
        new(ReadTime(row, 0), row.GetString(1), row.GetString(2)),
        ReadCounts(row));

    // Of the rollups' and the totals' rows, the columns behind time, product and action.
    private static RollupCounts ReadCounts(DbDataReader row) =>
        new(row.GetInt64(3), row.GetInt64(4), row.GetInt64(5), row.GetInt64(6), row.GetInt64(7));

    private sealed class Audit(SqlEventLog log, AuditConnections connections) : IEventLogAudit
    {
        public IAsyncEnumerable<RecordedEvent> Events(CancellationToken cancellation) =>
            Stream(connections.Events, log.auditEvents, log.ReadEvent, cancellation);

        public IAsyncEnumerable<StoredState> States(CancellationToken cancellation) => Stream(connections.Others, log.auditStates,
            row => new StoredState(row.GetString(0), row.GetFieldValue<byte[]>(1), row.GetBoolean(2)), cancellation);

        public IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> Rollups(CancellationToken cancellation) =>
            Stream(connections.Others, log.auditRollups, log.ReadRollup, cancellation);

        public IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RollupHours(CancellationToken cancellation) =>
            Stream(connections.Others, log.auditRollupHours, log.ReadRollup, cancellation);

        public IAsyncEnumerable<(string Product, string Action, long Events)> Counts(CancellationToken cancellation) =>
            Stream(connections.Others, log.readCounts, ReadCount, cancellation);

        public IAsyncEnumerable<Visit> Visits(CancellationToken cancellation) =>
            Stream(connections.Visits, log.auditVisits, log.ReadVisit, cancellation);

        public IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RemovedRollups(CancellationToken cancellation) =>
            Stream(connections.Others, log.auditRemovedRollups, log.ReadRollup, cancellation);

        public ValueTask DisposeAsync() => connections.DisposeAsync();

        private static async IAsyncEnumerable<T> Stream<T>(DbConnection connection, string sql, Func<DbDataReader, T> map,
            [EnumeratorCancellation] CancellationToken cancellation)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.CommandTimeout = 0; // a proof of a large log takes as long as it takes
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            while (await rows.ReadAsync(cancellation)) yield return map(rows);
        }
    }
}

/// <summary>Connections in transactions that see the same moment.</summary>
public sealed record AuditConnections(DbConnection Events, DbConnection Visits, DbConnection Others) : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Events.DisposeAsync();
        await Visits.DisposeAsync();
        await Others.DisposeAsync();
    }
}
