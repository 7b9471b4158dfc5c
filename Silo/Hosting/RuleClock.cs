using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Fires rules for what did not happen in time. Every silo tries; the database admits one at a time. A deadline is a
/// row, so it outlives every silo, and is fired once.
/// </summary>
internal sealed partial class RuleClock(SqlStorage storage, Limits limits, TimeProvider clock,
    ILogger<RuleClock> logger) : BackgroundRounds
{
    protected override Task Round(CancellationToken stopping) => InSteps(
        limit => storage.FireDue(clock.GetUtcNow().UtcDateTime, limit), limits.FireDeadlinesMax, stopping);

    [LoggerMessage(LogLevel.Warning, "Deadlines of rules were not fired this time")]
    protected override partial void LogSkipped(Exception exception);
}
