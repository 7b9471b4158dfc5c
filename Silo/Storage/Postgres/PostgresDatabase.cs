using System.Diagnostics;
using DbUp;
using DbUp.Postgresql;
using Npgsql;
using Orleans.Serialization;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.CommandLine;
using Tally.Silo.Hosting;

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

    private readonly string? host;
    private readonly NpgsqlDataSource commits;
    private readonly NpgsqlDataSource dataSource;
    private readonly NpgsqlDataSource snapshots;
    private readonly NpgsqlDataSource membership;
    private readonly NpgsqlDataSource exports;
    private readonly NpgsqlDataSource questions;
    private readonly PostgresEventLog eventLog;

    public PostgresDatabase(DatabaseUrl.Postgres url, Limits limits)
    {
        host = url.Settings.Host;
        // A question takes one processor: workers would take the others from events, and start for longer than it takes.
        // A silo that was stopped in the middle of an erasure holds its fingerprint, and whoever took it over would wait for it as
        // long as it sleeps: its transaction ends soon after it is declared dead.
        dataSource = Build("events", url.Settings, settings =>
        {
            settings.MaxPoolSize = limits.ConnectionsMax;
            settings.Options = ($"{settings.Options} -c max_parallel_workers_per_gather=0"
                + $" -c idle_in_transaction_session_timeout={StoppedCommit.TotalSeconds}s").TrimStart();
        });
        // Of their own, so that events wait for nothing that is read, and the same server process sees the same pages again. Nothing
        // that a session keeps is used in them, so none is reset: that is seven statements for each batch.
        commits = Build("commits", url.Settings, settings =>
        {
            settings.MaxPoolSize = limits.CommitsMax;
            settings.NoResetOnClose = true;
        });
        // Snapshots are never the record, and Postgres' log keeps their order behind the events they hold: they
        // need no flush of their own.
        snapshots = Build("snapshots", url.Settings, settings =>
        {
            settings.MaxPoolSize = limits.SnapshotWritesMax + 2;
            settings.Options = $"{settings.Options} -c synchronous_commit=off".TrimStart();
        });
        // Connections of its own: a silo whose events wait for one must still be able to say that it lives.
        membership = Build("membership", url.Settings, settings => settings.MaxPoolSize = MembershipConnectionsMax);
        // Connections of their own, opened for each: one that reads for an hour must not be one that events wait for.
        exports = Build("exports", url.Settings, settings => settings.Pooling = false);
        // A scan of all visits never takes a connection from events, and ends by itself. With memory to group 200,000
        // fingerprints it takes half the time that sorting them on disk does.
        questions = Build("questions", url.Settings, settings =>
        {
            settings.MaxPoolSize = limits.QuestionsMax;
            settings.Timeout = limits.QuestionSecondsMax;
            settings.Options = $"{settings.Options} -c statement_timeout={limits.QuestionSecondsMax}s -c work_mem=32MB".TrimStart();
        });
        eventLog = new(commits, dataSource, questions, exports);
    }

    protected override SqlEventLog Log => eventLog;

    // Any number of silos: nothing to claim.
    public override void Claim() { }

    public override async Task<IReadOnlyList<string>> Prepare(CancellationToken cancellation)
    {
        try
        {
            await using var connection = await dataSource.OpenConnectionAsync(cancellation);
            await CheckDurability(connection, cancellation);
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
        catch (PostgresException exception)
        {
            // Its SqlState and text name the operator's mistake (a password, a database); no value of an event.
            throw new StartupException($"Postgres refuses: {exception.MessageText} ({exception.SqlState})", exception);
        }
        catch (NpgsqlException exception)
        {
            throw new DatabaseUnreachableException($"Postgres does not answer: {exception.Message}", exception);
        }
    }

    private static async Task CheckDurability(NpgsqlConnection connection, CancellationToken cancellation)
    {
        foreach (var setting in (string[])["synchronous_commit", "fsync"])
        {
            await using var command = new NpgsqlCommand("select current_setting($1)", connection) { Parameters = { new() { Value = setting } } };
            if (await command.ExecuteScalarAsync(cancellation) is "off")
                throw new StartupException($"Postgres has {setting} off: an acknowledged event could be lost. Set it to on.");
        }
    }

    public override void ConfigureSilo(ISiloBuilder silo, ClusterSettings cluster)
    {
        silo.UseTallyCluster(cluster, host);
        silo.UseAdoNetClustering(options => (options.Invariant, options.DataSource) = (Invariant, membership));
        silo.Services.AddSingleton<ISiloLiveness, MembershipLiveness>();
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

    private static NpgsqlDataSource Build(string name, NpgsqlConnectionStringBuilder url, Action<NpgsqlConnectionStringBuilder> adjust)
    {
        var settings = new NpgsqlConnectionStringBuilder(url.ConnectionString)
        {
            // Neither the storage provider nor the reads prepare their statements; this does it for them.
            MaxAutoPrepare = 32,
            AutoPrepareMinUsages = 2,
        };
        if (string.IsNullOrEmpty(settings.ApplicationName)) settings.ApplicationName = "tally";
        // Preferring Kerberos' encryption, the default, prints two lines where its library is missing, as in the image.
        if (settings.GssEncryptionMode == GssEncryptionMode.Prefer) settings.GssEncryptionMode = GssEncryptionMode.Disable;
        adjust(settings);
        try
        {
            // Metrics call a pool by this name, else by its connection string.
            var builder = new NpgsqlDataSourceBuilder(settings.ConnectionString) { Name = name };
            // What runs in the background, membership every second, belongs to no trace.
            builder.ConfigureTracing(tracing => tracing.ConfigureCommandFilter(_ => Activity.Current is not null)
                .ConfigureBatchFilter(_ => Activity.Current is not null));
            return builder.Build();
        }
        catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new StartupException($"the database's settings do not go together: {exception.Message}", exception);
        }
    }
}

/// <summary>The database may answer later: worth another try.</summary>
public sealed class DatabaseUnreachableException(string message, Exception inner) : Exception(message, inner);
