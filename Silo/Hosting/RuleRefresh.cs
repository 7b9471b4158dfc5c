using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>Has this silo use rules that were changed on another one. While none is, it is one query.</summary>
internal sealed partial class RuleRefresh(SqlStorage storage, ILogger<RuleRefresh> logger) : BackgroundRounds
{
    protected override Task Round(CancellationToken stopping) => storage.RefreshRules();

    [LoggerMessage(LogLevel.Warning, "Rules were not read this time; those that are known stay in force")]
    protected override partial void LogSkipped(Exception exception);
}
