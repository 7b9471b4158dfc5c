using System.Net;
using System.Net.Sockets;
using Npgsql;
using Testcontainers.PostgreSql;

[assembly: Xunit.AssemblyFixture(typeof(Tally.Tests.Harness.PostgresServer))]

namespace Tally.Tests.Harness;

/// <summary>
/// A real Postgres for the tests: the one that TALLY_TEST_DB_URL names, else one of this machine's own binaries, else
/// a container.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private LocalPostgres? local;
    private PostgreSqlContainer? container;
    private NpgsqlConnectionStringBuilder admin = [];

    public async ValueTask InitializeAsync()
    {
        if (Environment.GetEnvironmentVariable("TALLY_TEST_DB_URL") is { Length: > 0 } url)
        {
            admin = ((Silo.Storage.DatabaseUrl.Postgres)Silo.Storage.DatabaseUrl.Parse(url)).Settings;
            return;
        }
        if (LocalPostgres.FindBinaries() is { } binaries)
        {
            local = await LocalPostgres.Start(binaries);
            admin = local.Settings;
            return;
        }
        try
        {
            // The builder's own defaults give up durability for speed, which the product refuses; the last word counts.
            container = new PostgreSqlBuilder("postgres:17").WithUsername("tally").WithDatabase("postgres")
                .WithCommand("-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c", "max_connections=300")
                .Build();
            await container.StartAsync();
            admin = new(container.GetConnectionString());
        }
        catch (Exception exception)
        {
            throw new InvalidOperationException("The tests need a Postgres: install PostgreSQL's server (Debian: "
                + "apt-get install postgresql), start Docker, or set TALLY_TEST_DB_URL.", exception);
        }
    }

    /// <summary>A new, empty database.</summary>
    /// <returns>Its settings, for a dbUrl.</returns>
    public async Task<NpgsqlConnectionStringBuilder> CreateDatabase()
    {
        var name = "tally_" + Guid.NewGuid().ToString("N");
        await using var source = NpgsqlDataSource.Create(admin);
        await using var command = source.CreateCommand($"create database {name}");
        await command.ExecuteNonQueryAsync();
        return new(admin.ConnectionString) { Database = name };
    }

    public async Task DropDatabase(string name)
    {
        NpgsqlConnection.ClearAllPools();
        await using var source = NpgsqlDataSource.Create(admin);
        await using var command = source.CreateCommand($"drop database if exists {name} with (force)");
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (local is not null) await local.DisposeAsync();
        if (container is not null) await container.DisposeAsync();
    }
}

/// <summary>A Postgres of this machine's own binaries, in a folder of its own, on a free port.</summary>
public sealed class LocalPostgres : IAsyncDisposable
{
    /// <summary>It trusts everyone on the loopback; this is there to be looked for in logs.</summary>
    public const string Password = "a-password-for-no-log";

    private readonly string binaries;
    private readonly string folder;

    private LocalPostgres(string binaries, string folder, string address, int port)
    {
        (this.binaries, this.folder) = (binaries, folder);
        Settings = new() { Host = address, Port = port, Username = "tally", Password = Password, Database = "postgres" };
    }

    public NpgsqlConnectionStringBuilder Settings { get; }

    /// <summary>The folder of initdb: on the PATH, or where Debian keeps it.</summary>
    public static string? FindBinaries()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        var debian = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderDescending().Select(version => version + "/bin")
            : [];
        // A link on the PATH may point to one of many; the folder must hold the server too.
        return debian.Concat(path).FirstOrDefault(at => File.Exists(at + "/initdb") && File.Exists(at + "/postgres"));
    }

    /// <param name="binaries">See <see cref="FindBinaries"/>.</param>
    /// <param name="address">Where it listens, besides the loopback: one that only the test's own processes reach.</param>
    public static async Task<LocalPostgres> Start(string binaries, string address = "127.0.0.1")
    {
        var folder = Directory.CreateTempSubdirectory("tally-postgres-").FullName;
        if (RunAs is { } user) await Commands.Run("chown", user, folder);
        var server = new LocalPostgres(binaries, folder, address, FreePort.Next());
        await server.Run($"{binaries}/initdb -D {folder}/data -U tally -A trust -E UTF8 --locale=C --no-sync");
        await File.AppendAllTextAsync($"{folder}/data/pg_hba.conf", "host all all samenet trust\n");
        await server.Start();
        return server;
    }

    /// <summary>For a test that stops and starts it. Skips the test where there are no binaries.</summary>
    public static async Task<LocalPostgres> StartOwn()
    {
        var binaries = FindBinaries();
        Assert.SkipWhen(binaries is null, "A Postgres to stop and start needs its server's binaries on this machine.");
        return await Start(binaries);
    }

    public Task Start() => Run($"{binaries}/pg_ctl -D {folder}/data -l {folder}/log -w start -o "
        + $"\"-p {Settings.Port} -c listen_addresses={Listen} -c unix_socket_directories='' -c max_connections=300\"");

    private string Listen => Settings.Host == "127.0.0.1" ? Settings.Host : $"127.0.0.1,{Settings.Host}";

    /// <param name="mode">smart, fast or immediate, as pg_ctl has it.</param>
    public async Task Stop(string mode)
    {
        await Run($"{binaries}/pg_ctl -D {folder}/data -w stop -m {mode}");
        NpgsqlConnection.ClearAllPools(); // this process' own connections to it are gone too
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await Stop("immediate");
        }
        catch (InvalidOperationException)
        {
            // stopped already, by the test
        }
        Directory.Delete(folder, recursive: true);
    }

    // initdb and postgres refuse to run as root.
    private static string? RunAs =>
        Environment.UserName != "root" ? null
        : File.ReadLines("/etc/passwd").Any(line => line.StartsWith("postgres:", StringComparison.Ordinal)) ? "postgres" : "nobody";

    private Task Run(string command) => RunAs is { } user
        ? Commands.Run("su", "-s", "/bin/sh", user, "-c", $"cd {folder} && {command}")
        : Commands.Run("/bin/sh", "-c", command);
}

internal static class FreePort
{
    public static int Next()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
