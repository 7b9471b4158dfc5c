using System.Data.Common;
using System.Runtime.CompilerServices;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage;

/// <summary>How everything stored is read for a proof.</summary>
public abstract partial class SqlStorage
{
    private readonly string auditEvents = scripts["audit_events"];
    private readonly string auditStates = scripts["audit_states"];
    private readonly string auditRollups = scripts["audit_rollups"];
    private readonly string auditRollupHours = scripts["audit_rollup_hours"];
    private readonly string auditRemovedRollups = scripts["audit_removed_rollups"];
    private readonly string auditVisits = scripts["audit_visits"];
    private readonly string auditDimensionValues = scripts["audit_dimension_values"];
    private readonly string auditDimensionDeltas = scripts["audit_dimension_deltas"];
    private readonly string auditDimensionVisits = scripts["audit_dimension_visits"];
    private readonly string auditFirings = scripts["audit_firings"];

    /// <summary>
    /// Everything stored, as of one moment. On Postgres it has connections of its own, so that it takes none from
    /// events.
    /// </summary>
    public async Task<IEventLogAudit> OpenAudit(CancellationToken cancellation)
    {
        try
        {
            var snapshot = await OpenSnapshot(cancellation);
            // a time zone is kept, and a dimension set is never changed or removed
            var (rules, ended) = await ReadRuleBook(snapshot.Others, cancellation);
            return new Audit(this, snapshot, await ReadCalendar(), await ReadDimensionSets(), rules, ended);
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw Unavailable(exception);
        }
    }

    // As of the same moment: a rule may end while the proof runs. A set that the log names and the database does not
    // have is empty here.
    private async Task<(RuleBook Rules, HashSet<int> Ended)> ReadRuleBook(
        DbConnection connection, CancellationToken cancellation)
    {
        var (book, ended) = (new RuleBook(), new HashSet<int>());
        var sets = await Read(readRuleSets, ReadRuleSet);
        book.Add(await Read(readRuleVersions, row =>
        {
            if (row.GetBoolean(4)) ended.Add(row.GetInt32(0));
            return ReadRule(row);
        }), sets);
        return (book, ended);

        async Task<List<T>> Read<T>(string sql, Func<DbDataReader, T> map)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.Parameters.Add(Parameter("id", 0));
            await using var rows = await command.ExecuteReaderAsync(cancellation);
            var read = new List<T>();
            while (await rows.ReadAsync(cancellation)) read.Add(map(rows));
            return read;
        }
    }

    /// <summary>
    /// Connections that see the database as of one moment: one for each stream that is read side by side.
    /// </summary>
    protected abstract Task<AuditConnections> OpenSnapshot(CancellationToken cancellation);

    private (RollupKey, RollupCounts) ReadRollup(DbDataReader row) =>
        (new(ReadTime(row, 0), row.GetString(1), row.GetString(2)), ReadRollupCounts(row));

    private Visit ReadVisit(DbDataReader row) => new(row.GetFieldValue<DateOnly>(0), row.GetString(1), row.GetString(2),
        row.GetInt64(3), ReadTime(row, 4), ReadTime(row, 5));

    private static DimensionVisit ReadDimensionVisit(DbDataReader row) => new(
        new(row.GetFieldValue<DateOnly>(0), row.GetString(1), row.GetString(3), row.GetString(4)), row.GetString(2),
        row.GetBoolean(5));

    private static DimensionKey ReadDimensionKey(DbDataReader row) =>
        new(row.GetFieldValue<DateOnly>(0), row.GetString(1), row.GetString(2), row.GetString(3));

    private sealed class Audit(
        SqlStorage storage, AuditConnections connections, Calendar calendar,
        Dictionary<int, DimensionSet> dimensionSets, RuleBook rules, HashSet<int> endedRules)
        : IEventLogAudit
    {
        public Calendar Calendar => calendar;

        public IReadOnlySet<int> EndedRules => endedRules;

        public IAsyncEnumerable<LogRow> Events(CancellationToken cancellation) =>
            Stream(connections.Events, storage.auditEvents,
            row =>
            {
                if (!row.IsDBNull(9)) rules.AddUnknown(row.GetInt32(9)); // nothing, if it is known
                return storage.ReadLogRow(row, dimensionSets, rules);
            }, cancellation);

        public IAsyncEnumerable<StoredState> States(CancellationToken cancellation) =>
            Stream(connections.Others, storage.auditStates,
            row => new StoredState(row.GetString(0), row.GetFieldValue<byte[]>(1), row.GetBoolean(2)), cancellation);

        public IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RemovedRollups(CancellationToken cancellation) =>
            Stream(connections.Others, storage.auditRemovedRollups, storage.ReadRollup, cancellation);

        public IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> Rollups(CancellationToken cancellation) =>
            Stream(connections.Others, storage.auditRollups, storage.ReadRollup, cancellation);

        public IAsyncEnumerable<(RollupKey Key, DateOnly Day, RollupCounts Counts)> RollupHours(
            CancellationToken cancellation) => Stream(connections.Others, storage.auditRollupHours, row =>
        {
            var (key, counts) = storage.ReadRollup(row);
            return (key, row.GetFieldValue<DateOnly>(8), counts);
        }, cancellation);

        public IAsyncEnumerable<(string Product, string Action, long Events)> Counts(CancellationToken cancellation) =>
            Stream(connections.Others, storage.readCounts, ReadCount, cancellation);

        public IAsyncEnumerable<Visit> Visits(CancellationToken cancellation) =>
            Stream(connections.Visits, storage.auditVisits, storage.ReadVisit, cancellation);

        public IAsyncEnumerable<(DimensionKey Key, DimensionCounts Counts, DimensionCounts Removed)> DimensionValues(
            CancellationToken cancellation) => Stream(connections.Others, storage.auditDimensionValues,
            row => (ReadDimensionKey(row), new DimensionCounts(row.GetInt64(4), row.GetInt64(5)),
                new DimensionCounts(row.GetInt64(6), row.GetInt64(7))), cancellation);

        public IAsyncEnumerable<(DimensionKey Key, long Events)> DimensionDeltas(CancellationToken cancellation) =>
            Stream(connections.Others, storage.auditDimensionDeltas,
            row => (ReadDimensionKey(row), row.GetInt64(4)), cancellation);

        public IAsyncEnumerable<DimensionVisit> DimensionVisits(CancellationToken cancellation) =>
            Stream(connections.Dimensions, storage.auditDimensionVisits, ReadDimensionVisit, cancellation);

        public IAsyncEnumerable<StoredRuleEffect> RuleEffects(CancellationToken cancellation) =>
            Stream(connections.Rules, storage.auditFirings, row => new StoredRuleEffect(row.GetString(0),
                row.GetInt32(1), row.GetInt64(2), storage.ReadTime(row, 3), row.IsDBNull(4) ? null : row.GetInt64(4),
                row.IsDBNull(5) ? null : row.GetString(5), storage.OptionalTime(row, 6)), cancellation);

        public ValueTask DisposeAsync() => connections.DisposeAsync();

        private async IAsyncEnumerable<T> Stream<T>(DbConnection connection, string sql, Func<DbDataReader, T> map,
            [EnumeratorCancellation] CancellationToken cancellation)
        {
            await using var command = connection.CreateCommand();
            command.CommandText = sql;
            command.CommandTimeout = 0; // a proof of a large log takes as long as it takes
            using var interrupting = storage.InterruptOn(connection, cancellation);
            await using var rows =
                await storage.Translating(() => command.ExecuteReaderAsync(cancellation), cancellation);
            var isWhole = false;
            try
            {
                Func<Task<bool>> next = () => rows.ReadAsync(cancellation);
                while (await storage.Translating(next, cancellation)) yield return map(rows);
                isWhole = true;
            }
            finally
            {
                if (!isWhole) command.Cancel(); // else closing the reader would read all other rows
            }
        }
    }
}

/// <summary>Connections in transactions that see the same moment.</summary>
public sealed record AuditConnections(
    DbConnection Events, DbConnection Visits, DbConnection Dimensions, DbConnection Rules, DbConnection Others)
    : IAsyncDisposable
{
    public async ValueTask DisposeAsync()
    {
        await Events.DisposeAsync();
        await Visits.DisposeAsync();
        await Dimensions.DisposeAsync();
        await Rules.DisposeAsync();
        await Others.DisposeAsync();
    }
}
