using System.Data;
using System.Data.Common;
using System.Net.Sockets;
using Npgsql;
using NpgsqlTypes;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage.Postgres;

/// <summary>Postgres. A commit is four statements in one round trip, whatever its size.</summary>
/// <param name="commits">For commits of events only: one connection for each that may be under way.</param>
/// <param name="dataSource">For all other calls.</param>
/// <param name="questions">For questions that scan much. Its connections end them in time.</param>
/// <param name="exports">For exports and proofs. Each gets connections of its own.</param>
public sealed class PostgresStorage(
    NpgsqlDataSource commits, NpgsqlDataSource dataSource, NpgsqlDataSource questions, NpgsqlDataSource exports)
    : SqlStorage(Scripts)
{
    public static readonly SqlScripts Scripts = new("Postgres");

    // How insert_events.sql fails.
    private const string RunDoesNotFollow = PostgresErrorCodes.DivisionByZero;

    // This program sorts what it locks, so only somebody else's statement can cause a deadlock.
    private const int TransientRetriesMax = 3;

    public override string Kind => "Postgres";

    private readonly string insertEvents = Scripts["insert_events"];
    private readonly string insertDeltas = Scripts["insert_deltas"];
    private readonly string insertVisits = Scripts["insert_visits"];
    private readonly string insertDimensions = Scripts["insert_dimensions"];
    private readonly string tryMergeLock = Scripts["try_merge_lock"];
    private readonly string checkWritable = Scripts["check_writable"];
    private readonly string reachStandbys = Scripts["reach_standbys"];
    private readonly string stayOpen = Scripts["stay_open"];
    private readonly string readInKeyOrder = Scripts["read_in_key_order"];
    private readonly string lockAppends = Scripts["lock_appends"];
    private readonly string raiseRemovalEpoch = Scripts["raise_removal_epoch"];
    private readonly string lockMerge = Scripts["lock_merge"];
    private readonly string lockFunnels = Scripts["lock_funnels"];
    private readonly string tryLockFunnels = Scripts["try_lock_funnels"];
    private readonly string lockFingerprints = Scripts["lock_fingerprints"];
    private readonly string tryLead = Scripts["try_lead"];
    private readonly string stopLeading = Scripts["stop_leading"];
    private readonly string addRemovedRollups = Scripts["add_removed_rollups"];
    private readonly string insertFirings = Scripts["insert_firings"];
    private readonly string insertDeadlines = Scripts["insert_deadlines"];
    private readonly string deleteMetDeadlines = Scripts["delete_met_deadlines"];
    private readonly string lockRules = Scripts["lock_rules"];
    private readonly string tryLockDeadlines = Scripts["try_lock_deadlines"];

    public override async Task<long?> TryRecord(
        IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas)
    {
        // By key, so that two silos that write the same keys wait for each other and do not deadlock.
        var sorted = events.OrderBy(e => e.Fingerprint, StringComparer.Ordinal).ThenBy(e => e.Sequence).ToArray();
        var dimensions = DimensionsOf(sorted, starts, out var begun);
        var effects = RuleEffects.From(sorted);
        var removalEpoch = await Retrying(() => TryRecordOnce(sorted, [.. starts], deltas, dimensions, effects));
        if (removalEpoch is not null) NoteCommitted(dimensions, begun);
        return removalEpoch;
    }

    private async Task<T> Retrying<T>(Func<Task<T>> transaction)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await transaction();
            }
            catch (PostgresException exception) when (
                exception.SqlState is PostgresErrorCodes.SerializationFailure or PostgresErrorCodes.DeadlockDetected
                    or PostgresErrorCodes.LockNotAvailable
                && attempt <= TransientRetriesMax)
            {
                // everything was rolled back: try again
            }
            catch (Exception exception) when (attempt == 1 && IsLostConnection(exception))
            {
                ForgetConnections(); // no commit was sent: try again on a new connection
            }
            catch (Exception exception) when (IsDatabaseFailure(exception))
            {
                throw Unavailable(exception);
            }
        }
    }

    private async Task<long?> TryRecordOnce(RecordedEvent[] events, RunStart[] starts, RollupDeltas deltas,
        DimensionDelta? dimensions, RuleEffects? effects)
    {
        await using var connection = await commits.OpenConnectionAsync();
        var standbys = new StandbyWait(connection);
        // Statements that are sent together are one transaction. A COMMIT of its own would be a second round trip: a
        // third of the time.
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(new(lockAppends)); // by itself: the next statement sees what this one waited for
        batch.BatchCommands.Add(InsertEvents(events, starts));
        batch.BatchCommands.Add(InsertDeltas(deltas));
        batch.BatchCommands.Add(InsertVisits(VisitDelta.From(events, Calendar)));
        if (dimensions is not null) batch.BatchCommands.Add(InsertDimensions(dimensions));
        if (effects is not null)
            foreach (var command in Record(effects)) batch.BatchCommands.Add(command);
        long removalEpoch;
        try
        {
            await using var answers = await batch.ExecuteReaderAsync();
            await answers.NextResultAsync(); // after the lock's empty result
            await answers.ReadAsync();
            removalEpoch = answers.GetInt64(0);
            while (await answers.NextResultAsync()) { } // the commit comes at the end
        }
        catch (PostgresException exception)
            when (exception.SqlState is PostgresErrorCodes.UniqueViolation or RunDoesNotFollow)
        {
            return null;
        }
        catch (Exception exception) when (IsDatabaseFailure(exception) && !IsRolledBack(exception))
        {
            ForgetConnections();
            throw new CommitUnknownException(exception);
        }
        try
        {
            await standbys.Finish(reachStandbys);
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw new CommitUnknownException(exception); // it is committed, but nobody knows where
        }
        return removalEpoch;
    }

    private async Task Commit(NpgsqlTransaction transaction)
    {
        try
        {
            await transaction.CommitAsync();
        }
        catch (Exception exception) when (IsDatabaseFailure(exception) && !IsRolledBack(exception))
        {
            throw new CommitUnknownException(exception);
        }
    }

    // The server says so by an error. After any other failure, such as a lost connection, the outcome is unknown.
    private static bool IsRolledBack(Exception exception) =>
        exception is PostgresException { InvariantSeverity: "ERROR" };

    private NpgsqlBatchCommand InsertEvents(RecordedEvent[] events, RunStart[] starts) => new(insertEvents)
    {
        Parameters =
        {
            Column(events, e => e.Fingerprint, NpgsqlDbType.Text),
            Column(events, e => e.Sequence, NpgsqlDbType.Bigint),
            Column(events, e => e.Event.Id, NpgsqlDbType.Uuid),
            Column(events, e => e.Event.Action, NpgsqlDbType.Text),
            Column(events, e => e.Event.Product, NpgsqlDbType.Text),
            Column(events, e => e.Event.Created, NpgsqlDbType.TimestampTz),
            Column(events, e => e.Event.Occurred, NpgsqlDbType.TimestampTz),
            Column(events, e => e.Event.Properties, NpgsqlDbType.Json),
            Column(starts, start => start.Fingerprint, NpgsqlDbType.Text),
            Column(starts, start => start.Follows, NpgsqlDbType.Bigint),
            Column(starts, start => start.RemovalEpoch, NpgsqlDbType.Bigint),
            Column(starts, start => start.IsUnread, NpgsqlDbType.Boolean),
            new NpgsqlParameter<long> { TypedValue = starts.Min(start => start.RemovalEpoch) },
            new NpgsqlParameter
            {
                Value = Counted.Id == 0 ? DBNull.Value : (short)Counted.Id, NpgsqlDbType = NpgsqlDbType.Smallint,
            },
            Column(Marked(events), e => e.Marks?.Set.Id, NpgsqlDbType.Integer),
            Column(Marked(events), e => e.Marks?.Text, NpgsqlDbType.Text),
        },
    };

    // While there are no rules, nothing of them is sent.
    private static RecordedEvent[] Marked(RecordedEvent[] events) =>
        Array.Exists(events, e => e.Marks is not null) ? events : [];

    private IEnumerable<NpgsqlBatchCommand> Record(RuleEffects effects)
    {
        // By key, as events are.
        var firings = effects.Firings.OrderBy(one => one.Fingerprint, StringComparer.Ordinal).ToArray();
        var deadlines = effects.Deadlines.OrderBy(one => one.Fingerprint, StringComparer.Ordinal).ToArray();
        var met = effects.Met.OrderBy(one => one.Fingerprint, StringComparer.Ordinal).ToArray();
        if (firings.Length > 0)
            yield return new(insertFirings)
            {
                Parameters =
                {
                    Column(firings, one => one.Rule.Id, NpgsqlDbType.Integer),
                    Column(firings, one => one.Fingerprint, NpgsqlDbType.Text),
                    Column(firings, one => one.Sequence, NpgsqlDbType.Bigint),
                    Column(firings, one => one.Occurred, NpgsqlDbType.TimestampTz),
                    Column(firings, one => one.Rule.Definition.Webhook is not null, NpgsqlDbType.Boolean),
                },
            };
        if (deadlines.Length > 0)
            yield return new(insertDeadlines)
            {
                Parameters =
                {
                    Column(deadlines, one => one.Rule.Id, NpgsqlDbType.Integer),
                    Column(deadlines, one => one.Fingerprint, NpgsqlDbType.Text),
                    Column(deadlines, one => one.Sequence, NpgsqlDbType.Bigint),
                    Column(deadlines, one => one.Occurred, NpgsqlDbType.TimestampTz),
                    Column(deadlines, one => one.Due, NpgsqlDbType.TimestampTz),
                },
            };
        if (met.Length > 0)
            yield return new(deleteMetDeadlines) // last: it may have been set by the same batch
            {
                Parameters =
                {
                    Column(met, one => one.Rule.Id, NpgsqlDbType.Integer),
                    Column(met, one => one.Fingerprint, NpgsqlDbType.Text),
                    Column(met, one => one.Sequence, NpgsqlDbType.Bigint),
                },
            };
    }

    private NpgsqlBatchCommand InsertDeltas(IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> deltas)
    {
        KeyValuePair<RollupKey, RollupCounts>[] rows = [.. deltas];
        var command = new NpgsqlBatchCommand(insertDeltas);
        command.Parameters.Add(Column(rows, row => row.Key.Minute, NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Column(rows, row => Calendar.HourOf(row.Key.Minute), NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Column(rows, row => Calendar.DayOf(row.Key.Minute), NpgsqlDbType.Date));
        foreach (var column in Counts(rows)) command.Parameters.Add(column);
        return command;
    }

    private static NpgsqlParameter[] Counts(KeyValuePair<RollupKey, RollupCounts>[] rows) =>
    [
        Column(rows, row => row.Key.Product, NpgsqlDbType.Text),
        Column(rows, row => row.Key.Action, NpgsqlDbType.Text),
        Column(rows, row => row.Value.Events, NpgsqlDbType.Bigint),
        Column(rows, row => row.Value.NewFingerprints, NpgsqlDbType.Bigint),
        Column(rows, row => row.Value.NewProductFingerprints, NpgsqlDbType.Bigint),
        Column(rows, row => row.Value.DailyFingerprints, NpgsqlDbType.Bigint),
        Column(rows, row => row.Value.DailyProductFingerprints, NpgsqlDbType.Bigint),
    ];

    private NpgsqlBatchCommand InsertVisits(VisitDelta visits) => new(insertVisits)
    {
        Parameters =
        {
            Values(visits.Days, NpgsqlDbType.Date),
            Values(visits.Fingerprints, NpgsqlDbType.Text),
            Values(visits.Products, NpgsqlDbType.Text),
            Values(visits.Events, NpgsqlDbType.Integer),
            Values(visits.Firsts, NpgsqlDbType.TimestampTz),
            Values(visits.Lasts, NpgsqlDbType.TimestampTz),
        },
    };

    private NpgsqlBatchCommand InsertDimensions(DimensionDelta dimensions)
    {
        DimensionKey[] values = [.. dimensions.Values];
        return new(insertDimensions)
        {
            Parameters =
            {
                Column(values, key => key.Day, NpgsqlDbType.Date),
                Column(values, key => key.Product, NpgsqlDbType.Text),
                Column(values, key => key.Dimension, NpgsqlDbType.Text),
                Column(values, key => key.Value, NpgsqlDbType.Text),
                Values(dimensions.Events, NpgsqlDbType.Integer),
                Values(dimensions.Fingerprints, NpgsqlDbType.Text),
                // places are counted from 1 here
                Column<int, int>([.. dimensions.Places], place => place + 1, NpgsqlDbType.Integer),
            },
        };
    }

    private static NpgsqlParameter<List<T>> Values<T>(List<T> values, NpgsqlDbType type) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | type };

    private static NpgsqlParameter<TValue[]> Column<TRow, TValue>(
        TRow[] rows, Converter<TRow, TValue> value, NpgsqlDbType type) =>
        new() { TypedValue = Array.ConvertAll(rows, value), NpgsqlDbType = NpgsqlDbType.Array | type };

    // All in one transaction, which begins with the locks on these fingerprints. Its reads block nobody.
    protected override Task<T?> Remove<TFound, T>(IReadOnlyList<string> fingerprints,
        Func<DbTransaction, Task<TFound>> find, Func<DbTransaction, TFound, Task<T?>> remove)
            where T : class => Retrying(async () =>
    {
        await using var connection = await dataSource.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await Query(transaction, lockFingerprints, _ => 0, Texts("fingerprints", fingerprints));
        var result = await remove(transaction, await find(transaction));
        if (result is not null) await Commit(transaction); // else disposing rolls back
        return result;
    });

    protected override Task AddRemoved(
        DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> removed)
    {
        KeyValuePair<RollupKey, RollupCounts>[] rows = [.. removed];
        return Execute(at, addRemovedRollups,
            [Column(rows, row => row.Key.Minute, NpgsqlDbType.TimestampTz), .. Counts(rows)]);
    }

    protected override Task AddDeltas(
        DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> rollups) =>
        Execute(at, InsertDeltas(rollups));

    protected override Task AddDeltas(DbTransaction at, VisitDelta visits) => Execute(at, InsertVisits(visits));

    protected override Task AddDeltas(DbTransaction at, DimensionDelta dimensions) =>
        Execute(at, InsertDimensions(dimensions));

    private static async Task Execute(DbTransaction at, NpgsqlBatchCommand command)
    {
        await using var batch = new NpgsqlBatch((NpgsqlConnection)at.Connection!, (NpgsqlTransaction)at);
        batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync();
    }

    protected override Task LockMerge(DbTransaction at) => Execute(at, lockMerge);

    protected override Task LockFunnels(DbTransaction at) => Execute(at, lockFunnels);

    protected override async Task<bool> TryLockFunnels(DbTransaction at) =>
        (await Query(at, tryLockFunnels, row => row.GetBoolean(0)))[0];

    protected override Task LockRules(DbTransaction at) => Execute(at, lockRules);

    protected override async Task<bool> TryLockDeadlines(DbTransaction at) =>
        (await Query(at, tryLockDeadlines, row => row.GetBoolean(0)))[0];

    protected override Task RaiseRemovalEpoch(DbTransaction at) => Execute(at, raiseRemovalEpoch);

    public override async Task<IAsyncDisposable?> TryLead()
    {
        NpgsqlConnection? connection = null;
        try
        {
            connection = await dataSource.OpenConnectionAsync();
            await using var command = new NpgsqlCommand(tryLead, connection);
            if (await command.ExecuteScalarAsync() is true) return new Lead(connection, stopLeading);
            await connection.DisposeAsync();
            return null;
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            if (connection is not null) await connection.DisposeAsync();
            throw Unavailable(exception);
        }
    }

    // The lock lasts as long as the connection. It is released explicitly because the pool keeps the connection.
    private sealed class Lead(NpgsqlConnection connection, string stop) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            try
            {
                await using var command = new NpgsqlCommand(stop, connection);
                await command.ExecuteNonQueryAsync();
            }
            catch (Exception exception) when (exception is NpgsqlException or SocketException or IOException)
            {
                // the connection is broken, so the server has released the lock
            }
            await connection.DisposeAsync();
        }
    }

    protected override async Task<long> Merge(string script, params DbParameter[] parameters)
    {
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync();
            await using var transaction = await connection.BeginTransactionAsync();
            await using var tryLock = new NpgsqlCommand(tryMergeLock, connection, transaction);
            if (await tryLock.ExecuteScalarAsync() is not true) return 0;
            await using var merge = new NpgsqlCommand(script, connection, transaction);
            merge.Parameters.AddRange(parameters);
            var merged = (long)(await merge.ExecuteScalarAsync())!;
            await Commit(transaction);
            return merged;
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw Unavailable(exception);
        }
    }

    public override async Task CheckWritable(CancellationToken cancellation)
    {
        try
        {
            await using var command = dataSource.CreateCommand(checkWritable);
            if (await command.ExecuteScalarAsync(cancellation) is true) return;
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw Unavailable(exception);
        }
        throw new EventLogUnavailableException("The database is read-only.");
    }

    protected override async ValueTask<DbConnection> Open(CancellationToken cancellation) =>
        await dataSource.OpenConnectionAsync(cancellation);

    protected override async ValueTask<DbConnection> OpenForQuestion(CancellationToken cancellation) =>
        await questions.OpenConnectionAsync(cancellation);

    protected override async Task<AuditConnections> OpenSnapshot(CancellationToken cancellation)
    {
        NpgsqlConnection[] opened = [];
        try
        {
            string? snapshot = null;
            while (opened.Length < 5)
            {
                opened = [.. opened, await exports.OpenConnectionAsync(cancellation)];
                await BeginSnapshot(opened[^1], cancellation);
                // These statements take no parameters. The name comes from the server itself.
                await using var share = new NpgsqlCommand(snapshot is null ? "select pg_export_snapshot()"
                    : $"set transaction snapshot '{snapshot}'", opened[^1]);
                snapshot = (string?)await share.ExecuteScalarAsync(cancellation) ?? snapshot;
            }
            return new(opened[0], opened[1], opened[2], opened[3], opened[4]);
        }
        catch
        {
            foreach (var connection in opened) await connection.DisposeAsync();
            throw;
        }
    }

    private async Task BeginSnapshot(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
        await using var stay = new NpgsqlCommand(stayOpen, connection);
        await stay.ExecuteNonQueryAsync(cancellation);
    }

    protected override async Task<DbConnection> OpenExport(CancellationToken cancellation)
    {
        var connection = await exports.OpenConnectionAsync(cancellation);
        try
        {
            await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellation);
            await using var settings = new NpgsqlCommand(readInKeyOrder, connection);
            await settings.ExecuteNonQueryAsync(cancellation);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    protected override DbParameter Parameter(string name, object value) => new NpgsqlParameter(name, value);

    protected override DbParameter Time(string name, DateTime value) => new NpgsqlParameter<DateTime>(name, value);

    protected override DbParameter Texts(string name, IEnumerable<string> values) =>
        new NpgsqlParameter<string[]>(name, [.. values]);

    protected override DbParameter Id(string name, Guid value) => Parameter(name, value);

    protected override DbParameter Ids(string name, IEnumerable<Guid> values) =>
        new NpgsqlParameter<Guid[]>(name, [.. values]);

    protected override DbParameter Days(string name, IEnumerable<DateOnly> values) =>
        new NpgsqlParameter<DateOnly[]>(name, [.. values]);

    protected override DbParameter Numbers(string name, IEnumerable<long> values) =>
        new NpgsqlParameter<long[]>(name, [.. values]);

    protected override DbParameter Times(string name, IEnumerable<DateTime> values) =>
        new NpgsqlParameter<DateTime[]>(name, [.. values]);

    protected override DbParameter Blobs(string name, IEnumerable<byte[]> values) =>
        new NpgsqlParameter<byte[][]>(name, [.. values]);

    protected override DateTime ReadTime(DbDataReader row, int column) => row.GetDateTime(column);

    protected override bool TryForgetConnections(Exception exception)
    {
        if (!IsLostConnection(exception)) return false;
        ForgetConnections();
        return true;
    }

    private void ForgetConnections()
    {
        commits.Clear();
        dataSource.Clear();
        questions.Clear();
    }

    // The pool may hold connections that a restarted server no longer knows, or that an operator has ended. The driver
    // does not count an operator's or a crash's shutdown as transient.
    private static bool IsLostConnection(Exception exception) => exception is NpgsqlException and (not PostgresException
        or PostgresException { IsTransient: true }
        or PostgresException { SqlState: PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown });

    protected override bool IsDatabaseFailure(Exception exception) =>
        exception is NpgsqlException or SocketException or IOException or TimeoutException;
}
