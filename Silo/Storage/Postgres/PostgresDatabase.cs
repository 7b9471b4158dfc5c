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
    // What a lock for the migrations is called among Postgres' advisory locks; any number that others do not use.
    private const long MigrationLock = 7020301;

    private const string Invariant = "Npgsql";

    /// <summary>For membership and liveness alone.</summary>
    public const int MembershipConnectionsMax = 4;

    // Far above what a transaction waits for its silo's next word, also on a busy machine; about as long as it takes to notice a
    // stopped silo and take over from it.
    private static readonly TimeSpan StoppedCommit = TimeSpan.FromSeconds(5);

    private readonly DatabaseUrl.Postgres url;
    private readonly NpgsqlDataSource commits;
    private readonly NpgsqlDataSource dataSource;
    private readonly NpgsqlDataSource snapshots;
    private readonly NpgsqlDataSource membership;
    private readonly NpgsqlDataSource exports;
    private readonly NpgsqlDataSource questions;
    private readonly PostgresEventLog eventLog;

    public PostgresDatabase(DatabaseUrl.Postgres url, Limits limits)
    {
        this.url = url;
        // A question takes one processor: workers would take the others from events, and start for longer than it takes.
        // A silo that was stopped in the middle of an erasure holds its fingerprint, and whoever took it over would wait for it as
        // long as it sleeps: its transaction ends soon after it is declared dead.
        dataSource = Build("events", settings => settings.MaxPoolSize = limits.ConnectionsMax,
            ("max_parallel_workers_per_gather", "0"), ("idle_in_transaction_session_timeout", $"{StoppedCommit.TotalSeconds}s"));
        // Of their own, so that events wait for nothing that is read, and the same server process sees the same pages again.
        commits = Build("commits", settings => settings.MaxPoolSize = limits.CommitsMax);
        // Snapshots are never the record, and Postgres' log keeps their order behind the events they hold: they
        // need no flush of their own.
        snapshots = Build("snapshots", settings => settings.MaxPoolSize = limits.SnapshotWritesMax + 2, ("synchronous_commit", "off"));
        // Connections of its own: a silo whose events wait for one must still be able to say that it lives.
        membership = Build("membership", settings => settings.MaxPoolSize = MembershipConnectionsMax);
        // Connections of their own, opened for each: one that reads for an hour must not be one that events wait for.
        exports = Build("exports", settings => settings.Pooling = false);
        // A scan of all visits never takes a connection from events, and ends by itself. With memory to group 200,000
        // fingerprints it takes half the time that sorting them on disk does.
        questions = Build("questions", settings =>
        {
            settings.MaxPoolSize = limits.QuestionsMax;
            settings.Timeout = limits.QuestionSecondsMax;
        }, ("statement_timeout", $"{limits.QuestionSecondsMax}s"), ("work_mem", "32MB"));
        eventLog = new(commits, dataSource, questions, exports);
    }

    protected override SqlEventLog Log => eventLog;

    // Any number of silos: nothing to claim.
    public override void Claim() { }

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
            await using var take = new NpgsqlCommand("select pg_advisory_lock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
            take.CommandTimeout = 0; // another silo's migration takes as long as it takes
            await take.ExecuteNonQueryAsync(cancellation);
            try
            {
                return await Task.Run(() => Migrations.Apply(
                    DeployChanges.To.PostgresqlDatabase(new PostgresqlConnectionManager(dataSource)).JournalToPostgresqlTable(null, "migrations"),
                    "Postgres/Migrations"), cancellation);
            }
            finally
            {
                await using var release = new NpgsqlCommand("select pg_advisory_unlock($1)", connection) { Parameters = { new() { Value = MigrationLock } } };
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
        silo.AddAdoNetGrainStorage(Snapshots.StorageName, options => options.Configure<Serializer>((storage, serializer) =>
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

    // A session is set up by a statement when it begins, not by start-up options: a pooler in session mode may ignore or refuse those.
    // READ COMMITTED, whatever the role or the database has as its default: the log's fence needs statements that see what is committed
    // when they begin. A connection is not reset when it goes back to its pool: that would be seven statements, and undo these settings.
    // Nobody leaves anything else in a session.
    private NpgsqlDataSource Build(string name, Action<NpgsqlConnectionStringBuilder> adjust, params (string Name, string Value)[] session)
    {
        var settings = new NpgsqlConnectionStringBuilder(url.Settings.ConnectionString)
        {
            NoResetOnClose = true,
            // Neither the storage provider nor the reads prepare their statements; this does it for them.
            MaxAutoPrepare = 32,
            AutoPrepareMinUsages = 2,
        };
        if (string.IsNullOrEmpty(settings.ApplicationName)) settings.ApplicationName = Environment.GetEnvironmentVariable("PGAPPNAME") ?? "tally";
        adjust(settings);
        (string Name, string Value)[] all = [("default_transaction_isolation", "read committed"), .. session];
        try
        {
            // Metrics call a pool by this name, else by its connection string.
            var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
            // What runs in the background, membership every second, belongs to no trace.
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
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or NotSupportedException)
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
