using DbUp.Builder;
using DbUp.Engine;
using DbUp.Engine.Output;

namespace Tally.Silo.Storage;

/// <summary>
/// Brings a database to this program's version. The numbered scripts run in order, each in one transaction with its row
/// in the table <c>migrations</c>. Only a backup leads back to an earlier version. The caller holds the database's
/// migration lock.
/// </summary>
internal static class Migrations
{
    /// <returns>The names of the scripts that were applied now.</returns>
    /// <exception cref="StartupException">
    /// Another version of this program made the database, or a script fails.
    /// </exception>
    public static IReadOnlyList<string> Apply(UpgradeEngineBuilder database, string folder)
    {
        var scripts = new SqlScripts(folder);
        var engine = database
            .WithScripts(scripts.Names.Select(name => new SqlScript(name, scripts[name])))
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .WithExecutionTimeout(TimeSpan.Zero) // none: on a large log a script may run for long
            .LogTo(new NoOpUpgradeLog()) // failures are thrown below; DbUp's own log would quote statements
            .Build();
        if (engine.GetExecutedButNotDiscoveredScripts() is [var unknown, ..])
            throw new StartupException(
                $"The database has migration {unknown}, which this version of app does not know: "
                + "use the version that migrated it, or a new database.");
        var result = engine.PerformUpgrade();
        return result.Successful
            ? [.. result.Scripts.Select(script => script.Name)]
            : throw new StartupException($"Migration {result.ErrorScript?.Name} failed: {result.Error.Message}",
                result.Error);
    }
}
