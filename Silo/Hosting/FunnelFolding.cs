using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Folds the funnels that are kept: what changed, then the past of new ones. Every silo tries; the database admits one
/// at a time. A question folds what has changed and is not folded yet.
/// </summary>
internal sealed partial class FunnelFolding(
    SqlStorage storage, Limits limits, ILogger<FunnelFolding> logger) : BackgroundRounds
{
    // Rows that one transaction removes.
    private const int ForgottenMax = 5_000;

    protected override async Task Round(CancellationToken stopping)
    {
        if (!await storage.HasFunnels()) return;
        await InSteps(Fold, limits.FoldChangesMax, stopping);
        await InSteps(storage.ForgetFunnel, ForgottenMax, stopping);
    }

    // The past of a new funnel may be long, and changes go on.
    private async Task<int> Fold(int limit) =>
        Math.Max(await storage.FoldFunnels(limit), await storage.FillFunnel(limit));

    [LoggerMessage(LogLevel.Warning, "Funnels were not folded this time")]
    protected override partial void LogSkipped(Exception exception);
}
