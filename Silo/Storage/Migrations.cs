using System.Data.Common;
using DbUp.Builder;
using DbUp.Engine;
using DbUp.Engine.Output;

namespace Tally.Silo.Storage;

/// <summary>
/// Brings a database to this program's version. The numbered scripts run in order, each in one transaction with its row
/// in the table <c>migrations</c>. An earlier version then serves the database as long as it knows the migration that
/// <c>compatibility</c> names. The caller holds the database's migration lock.
/// </summary>
internal static class Migrations
{
    /// <returns>The names of the scripts that were applied now.</returns>
    /// <exception cref="StartupException">
    /// A later version made the database and this one cannot serve it, or a script fails.
    /// </exception>
    public static IReadOnlyList<string> Apply(UpgradeEngineBuilder database, DbDataSource source, string folder)
    {
        var scripts = new SqlScripts(folder);
        var engine = database
            .WithScripts(scripts.Names.Select(name => new SqlScript(name, scripts[name])))
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .WithExecutionTimeout(TimeSpan.Zero) // none: on a large log a script may run for long
            .LogTo(new NoOpUpgradeLog()) // failures are thrown below; DbUp's own log would quote statements
            .Build();
        if (engine.GetExecutedButNotDiscoveredScripts() is [var unknown, ..]
            && (engine.IsUpgradeRequired() || !scripts.Names.Contains(ReadOldest(source))))
            throw new StartupException(
                $"The database has migration {unknown}, which this version of app does not know: "
                + "use the version that migrated it, a backup from before, or a new database.");
        var result = engine.PerformUpgrade();
        return result.Successful
            ? [.. result.Scripts.Select(script => script.Name)]
            : throw new StartupException($"Migration {result.ErrorScript?.Name} failed: {result.Error.Message}",
                result.Error);
    }

    // The last migration that a version must know to serve the database.
    private static string? ReadOldest(DbDataSource source)
    {
        using var command = source.CreateCommand("select migration from compatibility");
        return (string?)command.ExecuteScalar();
    }
}
