using System.Diagnostics;
using System.Net.Sockets;
using DbUp;
using DbUp.Postgresql;
using Npgsql;
using Orleans.Serialization;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage.Postgres;

/// <summary>A Postgres database, shared by any number of silos.</summary>
public sealed class PostgresDatabase : Database
{
    // The number of the migrations' advisory lock; arbitrary, and used for nothing else.
    private const long MigrationLock = 7020301;

    private const string Invariant = "Npgsql";

    /// <summary>For membership and liveness only.</summary>
    public const int MembershipConnectionsMax = 4;

    // Far longer than a transaction waits for its silo's next statement, even on a busy machine. About as long as it
    // takes to notice a stopped silo and to take over from it.
    private static readonly TimeSpan StoppedCommit = TimeSpan.FromSeconds(5);

    private readonly DatabaseUrl.Postgres url;
    private readonly NpgsqlDataSource commits;
    private readonly NpgsqlDataSource dataSource;
    private readonly NpgsqlDataSource snapshots;
    private readonly NpgsqlDataSource membership;
    private readonly NpgsqlDataSource exports;
    private readonly NpgsqlDataSource questions;
    private readonly PostgresStorage data;

    public PostgresDatabase(DatabaseUrl.Postgres url, Limits limits)
    {
        this.url = url;
        // A query gets one processor: parallel workers would take the others from events, and cost more time to start
        // than they save. A silo that is stopped during an erasure holds locks for which its successor would wait. So
        // its transaction ends soon after the silo is declared dead.
        dataSource = Build("events", settings => settings.MaxPoolSize = limits.ConnectionsMax,
            ("max_parallel_workers_per_gather", "0"),
            ("idle_in_transaction_session_timeout", $"{StoppedCommit.TotalSeconds}s"));
        // Separate, so that commits never wait for reads, and the same server process uses the same pages again.
        commits = Build("commits", settings => settings.MaxPoolSize = limits.CommitsMax);
        // The log can rebuild a snapshot, and in Postgres' own log a snapshot comes after its events. So writing one
        // needs no flush.
        snapshots =
            Build("snapshots", settings => settings.MaxPoolSize = limits.SnapshotWritesMax + 2,
                ("synchronous_commit", "off"));
        // Separate, so that a silo can say that it is alive even while its events wait for connections.
        membership = Build("membership", settings => settings.MaxPoolSize = MembershipConnectionsMax);
        // New connections for each export and each proof, which may read for an hour: events must not wait for it.
        exports = Build("exports", settings => settings.Pooling = false, ("max_parallel_workers_per_gather", "0"));
        // Separate, so that a scan of all visits takes no connection from events; and it ends in time. With enough
        // memory to group 200,000 fingerprints it takes half as long as sorting them on disk.
        questions = Build("questions", settings =>
        {
            settings.MaxPoolSize = limits.QuestionsMax;
            settings.Timeout = limits.QuestionSecondsMax;
        }, ("statement_timeout", $"{limits.QuestionSecondsMax}s"), ("work_mem", "32MB"));
        data = new(commits, dataSource, questions, exports);
    }

    public override SqlStorage Storage => data;

    // Any number of silos may use it.
    public override void Claim() { }

    public override async Task<string?> FindSilo()
    {
        try
        {
            await using var command = dataSource.CreateCommand(PostgresStorage.Scripts["find_silo"]);
            return (string?)await command.ExecuteScalarAsync();
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            throw ServerFailures.Explain(exception, url);
        }
    }

    public override string Place => ServerFailures.Place(url);

    public override async Task Connect(CancellationToken cancellation)
    {
        try
        {
            await ServerChecks.Run(url.Settings, cancellation);
        }
        catch (Exception exception) when (ServerFailures.IsKnown(exception))
        {
            throw ServerFailures.Explain(exception, url);
        }
    }

    public override async Task<IReadOnlyList<string>> Migrate(CancellationToken cancellation)
    {
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellation);
            await using var take =
                new NpgsqlCommand("select pg_advisory_lock($1)",
                    connection)
                { Parameters = { new() { Value = MigrationLock } } };
            take.CommandTimeout = 0; // another silo may migrate for long
            await take.ExecuteNonQueryAsync(cancellation);
            try
            {
                return await Task.Run(() => Migrations.Apply(
                    DeployChanges.To.PostgresqlDatabase(new PostgresqlConnectionManager(dataSource))
                        .JournalToPostgresqlTable(null, "migrations"),
                    dataSource, "Postgres/Migrations"), cancellation);
            }
            finally
            {
                await using var release =
                    new NpgsqlCommand("select pg_advisory_unlock($1)",
                        connection)
                    { Parameters = { new() { Value = MigrationLock } } };
                await release.ExecuteNonQueryAsync(CancellationToken.None);
            }
        }
        catch (Exception exception) when (exception is NpgsqlException or SocketException or TimeoutException)
        {
            throw ServerFailures.Explain(exception, url);
        }
    }

    public override void ConfigureSilo(ISiloBuilder silo)
    {
        silo.UseAdoNetClustering(options => (options.Invariant, options.DataSource) = (Invariant, membership));
        silo.AddAdoNetGrainStorage(Snapshots.StorageName,
            options => options.Configure<Serializer>((storage, serializer) =>
        {
            (storage.Invariant, storage.DataSource) = (Invariant, snapshots);
            storage.GrainStorageSerializer = new OrleansGrainStorageSerializer(serializer);
        }));
    }

    public override async ValueTask DisposeAsync()
    {
        await commits.DisposeAsync();
        await dataSource.DisposeAsync();
        await snapshots.DisposeAsync();
        await membership.DisposeAsync();
        await exports.DisposeAsync();
        await questions.DisposeAsync();
    }

    // A statement sets up each new session, because a pooler in session mode may ignore or refuse start-up options. It
    // sets READ COMMITTED, whatever the default of the role or the database is: the log's fence needs statements that
    // see what is committed when they begin. A connection that returns to its pool is not reset: that would be seven
    // statements, and undo these settings. Nothing else is ever left in a session.
    private NpgsqlDataSource Build(string name, Action<NpgsqlConnectionStringBuilder> adjust,
        params (string Name, string Value)[] session)
    {
        var settings = new NpgsqlConnectionStringBuilder(url.Settings.ConnectionString)
        {
            NoResetOnClose = true,
            // Neither Orleans' providers nor the queries here prepare their statements. The driver does it for them.
            MaxAutoPrepare = 32,
            AutoPrepareMinUsages = 2,
        };
        if (string.IsNullOrEmpty(settings.ApplicationName))
            settings.ApplicationName = Environment.GetEnvironmentVariable("PGAPPNAME") ?? "tally";
        adjust(settings);
        (string Name, string Value)[] all = [("default_transaction_isolation", "read committed"), .. session];
        try
        {
            // The name of the pool in metrics, which would else be the connection string.
            var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
            // Background work, such as membership each second, is not traced.
            builder.ConfigureTracing(tracing => tracing.ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null));
            builder.UsePhysicalConnectionInitializer(
                connection =>
                {
                    using var command = SetSession(connection, all);
                    command.ExecuteNonQuery();
                },
                async connection =>
                {
                    await using var command = SetSession(connection, all);
                    await command.ExecuteNonQueryAsync();
                });
            return builder.Build();
        }
        catch (Exception exception)
            when (exception is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new StartupException($"the database's settings do not go together: {exception.Message}", exception);
        }
    }

    private static NpgsqlCommand SetSession(NpgsqlConnection connection, (string Name, string Value)[] settings)
    {
        var calls = settings.Select((_, index) => $"set_config(${2 * index + 1}, ${2 * index + 2}, false)");
        var command = new NpgsqlCommand("select " + string.Join(", ", calls), connection);
        foreach (var (name, value) in settings)
        {
            command.Parameters.Add(new() { Value = name });
            command.Parameters.Add(new() { Value = value });
        }
        return command;
    }
}
