using Tally.Contracts;
using Tally.Silo.Settings;

namespace Tally.Silo.Storage;

/// <summary>A database: how it is made ready, and what a silo needs of it.</summary>
public abstract class Database : IAsyncDisposable
{
    public static Database For(DatabaseUrl url, Limits limits) => url switch
    {
        DatabaseUrl.Sqlite sqlite => new Sqlite.SqliteDatabase(sqlite),
        DatabaseUrl.Postgres postgres => new Postgres.PostgresDatabase(postgres, limits),
        _ => throw new ArgumentOutOfRangeException(nameof(url)),
    };

    /// <summary>Everything that is stored in it.</summary>
    public abstract SqlStorage Storage { get; }

    /// <summary>Claims the database for this process, if only one may serve it.</summary>
    /// <exception cref="StartupException">Another process serves it.</exception>
    public abstract void Claim();

    /// <summary>A silo that serves it beside this process, as part of a sentence; null if there is none.</summary>
    public virtual Task<string?> FindSilo() => Task.FromResult<string?>(null);

    /// <summary>What it is, and where, as part of a sentence.</summary>
    public abstract string Place { get; }

    /// <summary>Completes when the database answers and its settings allow the guarantees.</summary>
    /// <exception cref="StartupException">Says in one line what is wrong.</exception>
    /// <exception cref="Postgres.DatabaseUnreachableException">It may answer later.</exception>
    public abstract Task Connect(CancellationToken cancellation);

    /// <summary>Applies the missing migrations, under a lock.</summary>
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
