using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage;

/// <summary>One kind of database: how it is made ready, and what the silo needs of it.</summary>
public abstract class Database : IAsyncDisposable
{
    public static Database For(DatabaseUrl url, Limits limits) => url switch
    {
        DatabaseUrl.Sqlite sqlite => new Sqlite.SqliteDatabase(sqlite),
        DatabaseUrl.Postgres postgres => new Postgres.PostgresDatabase(postgres, limits),
        _ => throw new ArgumentOutOfRangeException(nameof(url)),
    };

    public IEventLogStorage EventLog => Log;
    public IDailySaltStorage Salts => Log;
    public ITotalsStorage Totals => Log;
    public ILiveStorage Live => Log;
    public IExportStorage Exports => Log;
    public IVisitStorage Visits => Log;
    public IErasureStorage Erasures => Log;
    public IRetentionStorage Retention => Log;

    /// <summary>What answers for all of the above.</summary>
    protected abstract SqlEventLog Log { get; }

    /// <summary>Takes what a serving process needs for itself alone, if anything.</summary>
    /// <exception cref="StartupException">Another process has it.</exception>
    public abstract void Claim();

    /// <summary>For a sentence: what it is, and where.</summary>
    public abstract string Place { get; }

    /// <summary>Completes when the database answers and is one that the guarantees can rest on.</summary>
    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    /// <exception cref="Postgres.DatabaseUnreachableException">It may answer later.</exception>
    public abstract Task Connect(CancellationToken cancellation);

    /// <summary>Applies the migrations that are missing, under a lock.</summary>
    /// <returns>The names of the migrations applied.</returns>
    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    /// <exception cref="Postgres.DatabaseUnreachableException">It may answer later.</exception>
    public abstract Task<IReadOnlyList<string>> Migrate(CancellationToken cancellation);

    /// <summary>Both.</summary>
    public async Task<IReadOnlyList<string>> Prepare(CancellationToken cancellation)
    {
        await Connect(cancellation);
        return await Migrate(cancellation);
    }

    /// <summary>Adds grain storage, and the membership table if several silos may share this database.</summary>
    public abstract void ConfigureSilo(ISiloBuilder silo);

    public abstract ValueTask DisposeAsync();
}
