using System.Data.Common;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary><c>app verify</c>: proves that counters are the fold of the log. May run beside serving silos.</summary>
internal static class VerifyCommand
{
    // A broken database has more differences than anyone would read.
    private const int DifferencesShownMax = 20;

    public static async Task<int> Run(AppSettings settings)
    {
        await using var database = Database.For(settings.DbUrl, new Limits());
        try
        {
            await using var audit = await database.Storage.OpenAudit(CancellationToken.None);
            var shown = 0;
            var proof = new Proof(audit, StoredStates.Deserialize,
                difference => { if (shown++ < DifferencesShownMax) Console.WriteLine(difference); });
            await proof.Run(CancellationToken.None);
            if (shown > DifferencesShownMax) Console.WriteLine($"... and {shown - DifferencesShownMax} more");
            if (proof.PrunedEvents > 0)
                Console.WriteLine($"{proof.PrunedEvents} more events were pruned; only their sums are kept");
            Console.WriteLine(
                $"{proof.Events} events of {proof.Fingerprints} fingerprints, {proof.Snapshots} snapshots, "
                + $"{proof.Rollups} rollups, {proof.Visits} visits, {proof.DimensionValues} values of dimensions"
                + (proof.Firings == 0 ? ": " : $", {proof.Firings} firings: ")
                + (proof.Differences == 0 ? "all equal" : $"{proof.Differences} differences"));
            return proof.Differences == 0 ? 0 : 1;
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or DbException)
        {
            throw new StartupException(
                $"{settings.DbUrl} cannot be read: {(exception.InnerException ?? exception).Message}", exception);
        }
    }
}
