using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>SQLite. One connection writes. Reads have others and, in WAL mode, never wait for it.</summary>
public sealed class SqliteStorage : SqlStorage, IDisposable
{
    public static readonly SqlScripts Scripts = new("Sqlite");

    private readonly SqliteDataSource dataSource;
    private readonly SemaphoreSlim writing = new(1);
    private readonly SemaphoreSlim removing = new(1);
    private Writer? writer;

    public override string Kind => "SQLite";

    public SqliteStorage(SqliteDataSource dataSource) : base(Scripts) => this.dataSource = dataSource;

    // There is no removal epoch: what a run follows is always checked, because that takes no round trip here.
    public override async Task<long?> TryRecord(
        IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas)
    {
        var dimensions = DimensionsOf(events, starts, out var begun);
        if (!await Write(connection => connection.Record(events, starts, deltas, dimensions, Counted, Calendar)))
            return null;
        NoteCommitted(dimensions, begun);
        return 0;
    }

    // It reads on another connection, so that appends wait only while it removes. Removals take turns, which is enough
    // because only one process has the file.
    protected override async Task<T?> Remove<TFound, T>(IReadOnlyList<string> fingerprints,
        Func<DbTransaction, Task<TFound>> find, Func<DbTransaction, TFound, Task<T?>> remove) where T : class
    {
        await removing.WaitAsync();
        try
        {
            var found = await Task.Run(() => ReadAtOneMoment(find));
            return await Write(connection => connection.InTransaction(at => remove(at, found)));
        }
        finally
        {
            removing.Release();
        }
    }

    private async Task<T> ReadAtOneMoment<T>(Func<DbTransaction, Task<T>> read)
    {
        try
        {
            await using var connection = (SqliteConnection)await dataSource.OpenConnectionAsync();
            await using var transaction = connection.BeginTransaction(deferred: true);
            return await read(transaction);
        }
        catch (Exception exception) when (IsDatabaseFailure(exception))
        {
            throw Unavailable(exception);
        }
    }

    // Only one process has the file.
    public override Task<IAsyncDisposable?> TryLead() => Task.FromResult<IAsyncDisposable?>(new Lead());

    private sealed class Lead : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    protected override Task OverwriteErased() => Write(connection => connection.EmptyLog());

    protected override Task AddRemoved(
        DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> removed)
    {
        writer!.AddRemoved(at, removed);
        return Task.CompletedTask;
    }

    protected override Task AddDeltas(
        DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> rollups) =>
        Added(() => writer!.Add(at, rollups, Calendar));

    protected override Task AddDeltas(DbTransaction at, VisitDelta visits) => Added(() => writer!.Add(at, visits));

    protected override Task AddDeltas(DbTransaction at, DimensionDelta dimensions) =>
        Added(() => writer!.Add(at, dimensions));

    private static Task Added(Action add)
    {
        add();
        return Task.CompletedTask;
    }

    protected override Task<long> Merge(string script, params DbParameter[] parameters) =>
        Write(connection => connection.Merge(script, parameters));

    /// <summary>
    /// Takes and releases the write lock: that fails on a read-only file or a lost disk, and writes nothing.
    /// </summary>
    public override Task CheckWritable(CancellationToken cancellation) =>
        Write(connection => connection.CheckWritable());

    // SQLite's calls block for as long as the disk takes, so they run on a thread of the pool.
    private async Task<T> Write<T>(Func<Writer, T> work)
    {
        await writing.WaitAsync();
        try
        {
            return await Task.Run(() => work(writer ??= new Writer(dataSource.OpenConnection())));
        }
        catch (Exception exception) when (IsDatabaseFailure(exception) || exception is CommitUnknownException)
        {
            // The connection may be in any state. Closing it rolls back, and the next call opens another.
            writer?.Dispose();
            writer = null;
            if (exception is CommitUnknownException) throw;
            throw Unavailable(exception);
        }
        finally
        {
            writing.Release();
        }
    }

    public void Dispose() => writer?.Dispose();

    protected override async ValueTask<DbConnection> Open(CancellationToken cancellation) =>
        await dataSource.OpenConnectionAsync(cancellation);

    protected override ValueTask<DbConnection> OpenForQuestion(CancellationToken cancellation) => Open(cancellation);

    protected override async Task<AuditConnections> OpenSnapshot(CancellationToken cancellation)
    {
        // One connection for all, since SQLite runs several statements in one read transaction. It is deferred and so
        // takes no write lock: a proof runs beside a busy silo.
        var connection = (SqliteConnection)await dataSource.OpenConnectionAsync(cancellation);
        connection.BeginTransaction(deferred: true);
        return new(connection, connection, connection, connection, connection);
    }

    protected override async Task<DbConnection> OpenExport(CancellationToken cancellation)
    {
        var connection = (SqliteConnection)await dataSource.OpenConnectionAsync(cancellation);
        connection.BeginTransaction(deferred: true); // takes no write lock; the first read fixes the snapshot
        return connection;
    }

    // A slow row blocks its thread, and the driver cannot cancel.
    protected override IDisposable? InterruptOn(DbConnection connection, CancellationToken cancellation) =>
        cancellation.CanBeCanceled ? new Interruption(((SqliteConnection)connection).Handle!, cancellation) : null;

    // SQLite asks regularly whether to go on. sqlite3_interrupt would have no effect just before a statement begins.
    private sealed class Interruption : IDisposable
    {
        // Instructions of SQLite's virtual machine between two questions: a few tenths of a millisecond.
        private const int Instructions = 10_000;

        private readonly SQLitePCL.sqlite3 handle;

        public Interruption(SQLitePCL.sqlite3 handle, CancellationToken cancellation)
        {
            this.handle = handle;
            SQLitePCL.raw.sqlite3_progress_handler(handle, Instructions,
                _ => cancellation.IsCancellationRequested ? 1 : 0, null);
        }

        public void Dispose() => SQLitePCL.raw.sqlite3_progress_handler(handle, 0, null, null);
    }

    protected override DbParameter Parameter(string name, object value) => new SqliteParameter("@" + name, value);

    protected override DbParameter Time(string name, DateTime value) => Parameter(name, Text(value));

    protected override DbParameter Texts(string name, IEnumerable<string> values) =>
        Parameter(name, JsonSerializer.Serialize(values));

    protected override DbParameter Id(string name, Guid value) => Parameter(name, value.ToString());

    protected override DbParameter Ids(string name, IEnumerable<Guid> values) =>
        Texts(name, values.Select(id => id.ToString()));

    protected override DbParameter Days(string name, IEnumerable<DateOnly> values) =>
        Texts(name, values.Select(Text));

    protected override DbParameter Numbers(string name, IEnumerable<long> values) =>
        Parameter(name, JsonSerializer.Serialize(values));

    protected override DbParameter Times(string name, IEnumerable<DateTime> values) => Texts(name, values.Select(Text));

    protected override DbParameter Blobs(string name, IEnumerable<byte[]> values) =>
        Texts(name, values.Select(Convert.ToHexString));

    protected override DateTime ReadTime(DbDataReader row, int column) => DateTime.ParseExact(row.GetString(column),
        TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    protected override bool IsDatabaseFailure(Exception exception) => exception is SqliteException or IOException;

    internal static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    internal static string Text(DateTime time) => time.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
