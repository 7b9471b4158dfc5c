using DbUp.Builder;
using DbUp.Engine;
using DbUp.Engine.Output;

namespace Tally.Silo.Storage;

/// <summary>
/// Brings a database to this program's version. The numbered scripts run in order, each in one transaction with its
/// row in the table <c>migrations</c>; there is no way back but a backup. The caller holds the database's lock.
/// </summary>
internal static class Migrations
{
    /// <returns>The names of the scripts that were applied now.</returns>
    /// <exception cref="StartupException">The database is newer than this program, or a script fails.</exception>
    public static IReadOnlyList<string> Apply(UpgradeEngineBuilder database, string folder)
    {
        var scripts = new SqlScripts(folder);
        var engine = database
            .WithScripts(scripts.Names.Select(name => new SqlScript(name, scripts[name])))
            .WithTransactionPerScript()
            .WithVariablesDisabled()
            .WithExecutionTimeout(TimeSpan.Zero) // none: what fills a table from a large log takes as long as it takes
            .LogTo(new NoOpUpgradeLog()) // failures are thrown below; its own log would quote statements
            .Build();
        if (engine.GetExecutedButNotDiscoveredScripts() is [var newest, ..])
            throw new StartupException($"The database is newer than this program: it has migration {newest}. Use a newer version of app.");
        var result = engine.PerformUpgrade();
        return result.Successful
            ? [.. result.Scripts.Select(script => script.Name)]
            : throw new StartupException($"Migration {result.ErrorScript?.Name} failed: {result.Error.Message}", result.Error);
    }
}

/// <summary>What keeps the process from starting, in one line for the operator.</summary>
public sealed class StartupException(string message, Exception? inner = null) : Exception(message, inner);
