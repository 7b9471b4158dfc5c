using Npgsql;
using Tally.Tests.Harness;

namespace Tally.Bench.Contenders;

/// <summary>What the contenders of a run share: a Postgres, the published app and a folder.</summary>
internal sealed class Ground : IAsyncDisposable
{
    private readonly LocalPostgres? local;
    private readonly NpgsqlConnectionStringBuilder admin;
    private int databases;

    private Ground(string app, string folder, LocalPostgres? local, NpgsqlConnectionStringBuilder admin)
    {
        (App, Folder, this.local, this.admin) = (app, folder, local, admin);
        RuntimeConfig = RuntimeSettings.Take(app, folder);
    }

    /// <summary>The path of the published program.</summary>
    public string App { get; }

    public string Folder { get; }
    public string RuntimeConfig { get; }

    /// <summary>The database's first process; none if this run did not start it.</summary>
    public IReadOnlyList<int> DatabaseProcesses => local is null ? [] : [local.ProcessId];

    /// <param name="app">The published program to measure; null to publish this checkout's.</param>
    /// <param name="dbUrl">An Npgsql connection string of the Postgres to use; null to start one.</param>
    public static async Task<Ground> Prepare(string? app, string? dbUrl)
    {
        app = Path.GetFullPath(app ?? await Publish());
        var folder = Directory.CreateTempSubdirectory("tally-bench-").FullName;
        if (dbUrl is not null) return new(app, folder, null, new(dbUrl));
        var binaries = LocalPostgres.FindBinaries() ?? throw new InvalidOperationException(
            "The benchmark needs a Postgres: install PostgreSQL's server (Debian: apt-get install postgresql), or set "
                + "--db.");
        // With Postgres's default durability.
        var local = await LocalPostgres.Start(binaries);
        return new(app, folder, local, local.Settings);
    }

    /// <returns>A new database's connection string.</returns>
    public async Task<string> CreateDatabase()
    {
        var name = $"bench_{++databases}_{Guid.NewGuid():N}";
        await Execute($"create database {name}");
        return new NpgsqlConnectionStringBuilder(admin.ConnectionString) { Database = name }.ConnectionString;
    }

    public Task DropDatabase(string database) => Execute(
        $"drop database {new NpgsqlConnectionStringBuilder(database).Database} with (force)");

    /// <summary>Creates the app's tables.</summary>
    public Task Migrate(string database) => Commands.Run(App, "migrate", "-dbUrl", database);

    public async Task<string> DatabaseVersion()
    {
        await using var source = NpgsqlDataSource.Create(admin);
        await using var show = source.CreateCommand("show server_version");
        return (string)(await show.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        if (local is not null) await local.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }

    private static async Task<string> Publish()
    {
        Console.Error.WriteLine("publishing the app");
        var folder = Path.Combine(Repository.Root, "artifacts", "bench", "app");
        // As in the image: precompiled, with its own runtime.
        await Commands.Run("dotnet", "publish", Repository.File("Silo"), "-c", "Release", "-p:ForImage=true", "-v",
            "quiet", "-o", folder);
        return Path.Combine(folder, "app");
    }

    private async Task Execute(string sql)
    {
        NpgsqlConnection.ClearAllPools();
        await using var source = NpgsqlDataSource.Create(admin);
        await source.Execute(sql, CancellationToken.None);
    }
}
