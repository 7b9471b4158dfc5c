using System.Data.Common;
using Microsoft.Data.Sqlite;
using Npgsql;
using Tally.Contracts;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Tests.Harness;

public enum StorageKind { Sqlite, Postgres }

/// <summary>A test's database: empty at first, removed afterwards.</summary>
public sealed class TestDatabase : IAsyncDisposable
{
    private readonly PostgresServer? server;
    private readonly string? folder;
    private readonly NpgsqlConnectionStringBuilder? postgres;

    private TestDatabase(StorageKind kind, string url, PostgresServer? server, NpgsqlConnectionStringBuilder? postgres,
        string? folder)
    {
        (Kind, Url, this.server, this.postgres, this.folder) = (kind, url, server, postgres, folder);
    }

    public StorageKind Kind { get; }

    /// <summary>The value of -dbUrl.</summary>
    public string Url { get; }

    /// <summary>The SQLite file.</summary>
    public string Path => System.IO.Path.Combine(folder!, "tally.db");

    public static async Task<TestDatabase> Create(StorageKind kind, PostgresServer server)
    {
        if (kind == StorageKind.Sqlite)
        {
            var folder = Directory.CreateTempSubdirectory("tally-sqlite-").FullName;
            return new(kind, $"sqlite:{folder}/tally.db", null, null, folder);
        }
        var settings = await server.CreateDatabase();
        return new(kind, settings.ConnectionString, server, settings, null);
    }

    /// <summary>A SQLite file in a folder that the test has chosen. Disposing removes the folder.</summary>
    public static TestDatabase In(string folder) =>
        new(StorageKind.Sqlite, $"sqlite:{folder}/tally.db", null, null, Directory.CreateDirectory(folder).FullName);

    /// <summary>The default database of a test's own Postgres.</summary>
    public static TestDatabase On(LocalPostgres own) =>
        new(StorageKind.Postgres, own.Settings.ConnectionString, null, own.Settings, null);

    /// <summary>A Postgres database that somebody else starts and stops. Disposing leaves it alone.</summary>
    public static TestDatabase At(string url)
    {
        var settings = ((DatabaseUrl.Postgres)DatabaseUrl.Parse(url)).Settings;
        settings.Pooling = false; // a pool would keep connections to a stopped server
        return new(StorageKind.Postgres, url, null, settings, null);
    }

    /// <summary>
    /// A URL to give to a program, whether or not a server is there. The test's own queries go to <paramref
    /// name="asked"/>.
    /// </summary>
    public static TestDatabase Of(string url, LocalPostgres? asked = null) =>
        new(StorageKind.Postgres, url, null, asked?.Settings, null);

    /// <summary>The same database, which a program reaches through a proxy.</summary>
    public TestDatabase Through(PostgresProxy proxy) => Through(proxy.Url);

    /// <summary>The same database, which a program reaches by another URL.</summary>
    public TestDatabase Through(string url) => new(Kind, url, null, null, null);

    /// <summary>The product's own storage on this database, migrated.</summary>
    public async Task<Database> OpenPrepared(Limits? limits = null)
    {
        var database = Database.For(DatabaseUrl.Parse(Url), limits ?? new());
        await database.Prepare(CancellationToken.None);
        return database;
    }

    /// <summary>Queries the database directly, without the product.</summary>
    public async Task<List<T>> Query<T>(string sql, Func<DbDataReader, T> map)
    {
        await using var connection = await Connect();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await using var rows = await command.ExecuteReaderAsync();
        var result = new List<T>();
        while (await rows.ReadAsync()) result.Add(map(rows));
        return result;
    }

    /// <summary>Blocks everybody else's commits, but not their reads, until disposed.</summary>
    public Task<IAsyncDisposable> HoldWrites() =>
        Kind == StorageKind.Sqlite ? HoldAfter("begin immediate") : Hold("lock table events in exclusive mode");

    /// <summary>Postgres only: holds a statement's locks until disposed.</summary>
    public Task<IAsyncDisposable> Hold(string statement) => HoldAfter("begin; " + statement);

    private async Task<IAsyncDisposable> HoldAfter(string statements)
    {
        var connection = await Connect();
        await using var command = connection.CreateCommand();
        command.CommandText = statements;
        await command.ExecuteNonQueryAsync();
        return connection; // closing the connection rolls back
    }

    /// <summary>
    /// Everything that is stored, as text: pg_dump's output for Postgres. For SQLite, the bytes of its files, where
    /// data that is deleted but not erased would show.
    /// </summary>
    public async Task<string> Dump()
    {
        if (Kind == StorageKind.Sqlite)
            return string.Concat(await Task.WhenAll(Directory.GetFiles(folder!, "tally.db*")
                .Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))
                .Select(file => File.ReadAllTextAsync(file, System.Text.Encoding.Latin1))));
        return await WithDump(file => File.ReadAllTextAsync(file));
    }

    /// <summary>
    /// Copies everything into an empty database, as operators do while processes serve: with pg_dump and pg_restore, or
    /// with SQLite's <c>vacuum into</c>.
    /// </summary>
    public Task BackUpInto(TestDatabase empty) => Kind == StorageKind.Sqlite
        ? Execute($"vacuum into '{empty.Path}'")
        : WithDump(async file =>
        {
            await empty.RunTool("pg_restore", "--exit-on-error", "--no-owner", file);
            return file;
        }, "-Fc");

    private async Task<T> WithDump<T>(Func<string, Task<T>> use, params string[] options)
    {
        var dump = System.IO.Path.GetTempFileName();
        try
        {
            await RunTool("pg_dump", ["-f", dump, .. options]);
            return await use(dump);
        }
        finally
        {
            File.Delete(dump);
        }
    }

    private Task RunTool(string name, params string[] arguments)
    {
        var binaries = LocalPostgres.FindBinaries();
        Assert.SkipWhen(binaries is null, "A dump needs Postgres' binaries on this machine.");
        return Commands.Run($"{binaries}/{name}", ["-h", postgres!.Host!, "-p", $"{postgres.Port}", "-U",
            postgres.Username!, "-d", postgres.Database!, .. arguments]);
    }

    public async Task Execute(string sql) => await Query(sql, _ => 0);

    private async Task<DbConnection> Connect()
    {
        DbConnection connection = Kind == StorageKind.Sqlite
            ? new SqliteConnection($"Data Source={Path};Pooling=false")
            : new NpgsqlConnection(postgres!.ConnectionString);
        await connection.OpenAsync();
        return connection;
    }

    public async ValueTask DisposeAsync()
    {
        if (folder is not null) Directory.Delete(folder, recursive: true);
        if (server is not null) await server.DropDatabase(postgres!.Database!);
    }
}
