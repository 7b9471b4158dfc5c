using Npgsql;
using Tally.Silo.Settings;
using Testcontainers.PostgreSql;

[assembly: Xunit.AssemblyFixture(typeof(Tally.Tests.Harness.PostgresServer))]

namespace Tally.Tests.Harness;

/// <summary>
/// A real Postgres for the tests: the one that TALLY_TEST_DB_URL names, else one of this machine's binaries, else a
/// container.
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
            admin = ((DatabaseUrl.Postgres)DatabaseUrl.Parse(url)).Settings;
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
            // The builder's defaults trade durability for speed, which the product refuses. The last value of a setting
            // counts.
            container = new PostgreSqlBuilder("postgres:17").WithUsername("tally").WithDatabase("postgres")
                .WithCommand("-c", "fsync=on", "-c", "synchronous_commit=on", "-c", "full_page_writes=on", "-c",
                    "max_connections=300")
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

    /// <summary>
    /// A separate server for a test that stops and starts it. Skips the test if there are no binaries.
    /// </summary>
    public static async Task<LocalPostgres> StartOwn()
    {
        var binaries = LocalPostgres.FindBinaries();
        Assert.SkipWhen(binaries is null, "A Postgres to stop and start needs its server's binaries on this machine.");
        return await LocalPostgres.Start(binaries);
    }

    /// <summary>Creates an empty database and returns its settings.</summary>
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
