using DbUp;
using Microsoft.Data.Sqlite;
using Orleans.Serialization;
using Orleans.Storage;
using Tally.Grains;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage.Sqlite;

/// <summary>A SQLite file and the lock file beside it.</summary>
public sealed class SqliteDatabase : Database
{
    private static readonly TimeSpan MigrationPatience = TimeSpan.FromSeconds(30);

    private readonly string path;
    private readonly SqliteDataSource dataSource;
    private readonly SqliteDataSource snapshots;
    private readonly SqliteStorage data;
    private FileStream? claim;

    public SqliteDatabase(DatabaseUrl.Sqlite url)
    {
        path = Path.GetFullPath(url.Path);
        dataSource = new(path);
        // The log can rebuild a snapshot, so writing one needs no flush.
        snapshots = new(path, synchronous: "normal");
        data = new(dataSource);
    }

    public override SqlStorage Storage => data;

    public override void Claim()
    {
        try
        {
            CheckPath();
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            claim = new FileStream(path + ".lock", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path + ".lock"))
        {
            throw new StartupException(
                $"{path} is in use by another process. One process serves a SQLite file; for several, use Postgres.");
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{path} cannot be written: {exception.Message}", exception);
        }
    }

    public override string Place => path;

    // A file needs no waiting for.
    public override Task Connect(CancellationToken cancellation) => Task.CompletedTask;

    public override Task<IReadOnlyList<string>> Migrate(CancellationToken cancellation) => Task.Run(() =>
    {
        try
        {
            CheckPath();
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var migrating = TakeMigrationLock();
            using (File.Open(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.ReadWrite)) { }
            using (dataSource.OpenConnection()) { } // sets WAL mode
            return Migrations.Apply(
                DeployChanges.To.SqliteDatabase(dataSource.ConnectionString).JournalToSqliteTable("migrations"),
                dataSource, "Sqlite/Migrations");
        }
        catch (Exception exception) when (exception is SqliteException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"{path} cannot be used: {exception.Message}", exception);
        }
    }, cancellation);

    private void CheckPath()
    {
        if (Directory.Exists(path)) throw new StartupException($"{path} is a folder: name a file in it.");
        // A device, such as /dev/null, may keep nothing. /dev/shm is a file system in memory.
        if (path.StartsWith("/dev/", StringComparison.Ordinal)
            && !path.StartsWith("/dev/shm/", StringComparison.Ordinal) && File.Exists(path))
            throw new StartupException($"{path} is not a file that keeps data.");
    }

    // Not the claim's lock, which a serving process keeps: app migrate may run beside it. The file is never removed,
    // because then two processes could hold it.
    private FileStream TakeMigrationLock()
    {
        for (var deadline = DateTime.UtcNow + MigrationPatience; ; Thread.Sleep(20))
        {
            try
            {
                return new FileStream(path + ".migrating", FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (File.Exists(path + ".migrating") && DateTime.UtcNow < deadline)
            {
                // another process migrates
            }
        }
    }

    public override void ConfigureSilo(ISiloBuilder silo) =>
        silo.AddAdoNetGrainStorage(Snapshots.StorageName,
            options => options.Configure<Serializer>((storage, serializer) =>
        {
            storage.Invariant = "System.Data.SQLite"; // the name that Orleans gives Microsoft.Data.Sqlite
            storage.DataSource = snapshots;
            storage.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));

    public override async ValueTask DisposeAsync()
    {
        data.Dispose();
        await dataSource.DisposeAsync();
        await snapshots.DisposeAsync();
        SqliteConnection.ClearAllPools();
        if (claim is not null) await claim.DisposeAsync();
    }
}
