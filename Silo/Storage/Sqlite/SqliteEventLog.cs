using System.Data.Common;
using System.Globalization;
using System.Text.Json;
using Microsoft.Data.Sqlite;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>
/// The event log in one SQLite file. One connection writes; reads have their own and, in WAL mode, never wait for it.
/// </summary>
public sealed class SqliteEventLog : SqlEventLog, IDisposable
{
    public static readonly SqlScripts Scripts = new("Sqlite");

    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'";

    private readonly SqliteDataSource dataSource;
    private readonly SemaphoreSlim writing = new(1);
    private readonly SemaphoreSlim removing = new(1);
    private readonly string mergeRollups = Scripts["merge_rollups"];
    private readonly string mergeVisits = Scripts["merge_visits"];
    private Writer? writer;

    public SqliteEventLog(SqliteDataSource dataSource) : base(Scripts) => this.dataSource = dataSource;

    // It looks for what each run follows, which costs no round trip here: so it counts no removals.
    public override Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas) =>
        Write<long?>(connection => connection.Record(events, starts, deltas) ? 0 : null);

    // It reads on a connection of its own, so that the one that writes is taken from the others for the removal alone. One process has
    // the file, so that removals taking turns is all that the promise to them needs.
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

    // One process has the file.
    public override Task<IAsyncDisposable?> TryLead() => Task.FromResult<IAsyncDisposable?>(new Lead());

    private sealed class Lead : IAsyncDisposable
    {
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    protected override Task OverwriteErased() => Write(connection => connection.EmptyLog());

    protected override Task AddRemoved(DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> removed)
    {
        writer!.AddRemoved(at, removed);
        return Task.CompletedTask;
    }

    public override Task<int> MergeRollups(int limit) => Write(connection => connection.Merge(mergeRollups, limit));

    public override Task<int> MergeVisits(int limit) => Write(connection => connection.Merge(mergeVisits, limit));

    /// <summary>Takes the write lock and gives it back: fails on a read-only file or a lost disk, and writes nothing.</summary>
    public override Task CheckWritable(CancellationToken cancellation) => Write(connection => connection.CheckWritable());

    // SQLite's calls block, for as long as the disk takes: they belong on a thread of the pool, not on a grain's turn.
    private async Task<T> Write<T>(Func<Writer, T> work)
    {
        await writing.WaitAsync();
        try
        {
            return await Task.Run(() => work(writer ??= new Writer(dataSource.OpenConnection())));
        }
        catch (Exception exception) when (IsDatabaseFailure(exception) || exception is CommitUnknownException)
        {
            // Whatever state the connection is in, the next one starts clean, and closing rolls back.
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
        // One connection for all: SQLite lets its statements run side by side in one read transaction. Deferred,
        // so that it takes no write lock: a proof runs beside a busy silo.
        var connection = (SqliteConnection)await dataSource.OpenConnectionAsync(cancellation);
        connection.BeginTransaction(deferred: true);
        return new(connection, connection, connection);
    }

    protected override async Task<DbConnection> OpenExport(CancellationToken cancellation)
    {
        var connection = (SqliteConnection)await dataSource.OpenConnectionAsync(cancellation);
        connection.BeginTransaction(deferred: true); // takes no write lock, and its snapshot with the first read
        return connection;
    }

    // A row that is long in coming blocks its thread, and the driver cannot be asked to stop.
    protected override IDisposable? InterruptOn(DbConnection connection, CancellationToken cancellation) =>
        cancellation.CanBeCanceled ? new Interruption(((SqliteConnection)connection).Handle!, cancellation) : null;

    // SQLite itself asks, again and again, whether to go on. sqlite3_interrupt would be lost if it came just before a statement begins.
    private sealed class Interruption : IDisposable
    {
        // Of SQLite's virtual machine: some tenths of a millisecond.
        private const int Instructions = 10_000;

        private readonly SQLitePCL.sqlite3 handle;

        public Interruption(SQLitePCL.sqlite3 handle, CancellationToken cancellation)
        {
            this.handle = handle;
            SQLitePCL.raw.sqlite3_progress_handler(handle, Instructions, _ => cancellation.IsCancellationRequested ? 1 : 0, null);
        }

        public void Dispose() => SQLitePCL.raw.sqlite3_progress_handler(handle, 0, null, null);
    }

    protected override DbParameter Parameter(string name, object value) => new SqliteParameter("@" + name, value);

    protected override DbParameter Time(string name, DateTime value) => Parameter(name, Text(value));

    protected override DbParameter Texts(string name, IEnumerable<string> values) =>
        Parameter(name, JsonSerializer.Serialize(values));

    protected override DbParameter Ids(string name, IEnumerable<Guid> values) =>
        Texts(name, values.Select(id => id.ToString()));

    protected override DbParameter Days(string name, IEnumerable<DateOnly> values) =>
        Texts(name, values.Select(day => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)));

    protected override DbParameter Numbers(string name, IEnumerable<long> values) => Parameter(name, JsonSerializer.Serialize(values));

    protected override DbParameter Hashes(string name, IEnumerable<byte[]> values) => Texts(name, values.Select(Convert.ToHexString));

    protected override DateTime ReadTime(DbDataReader row, int column) => DateTime.ParseExact(row.GetString(column),
        TimeFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal);

    protected override bool IsDatabaseFailure(Exception exception) => exception is SqliteException or IOException;

    internal static string Text(DateTime time) => time.ToString(TimeFormat, CultureInfo.InvariantCulture);
}
