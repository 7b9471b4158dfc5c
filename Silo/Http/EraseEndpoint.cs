using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>What was removed of a fingerprint that was erased.</summary>
/// <param name="Fingerprint">The fingerprint.</param>
/// <param name="Erased">UTC: nothing from before this time is kept.</param>
/// <param name="Events">Events removed from the log, with their ids.</param>
/// <param name="Snapshots">Snapshots removed.</param>
/// <param name="Visits">Visits removed: days with a product.</param>
/// <param name="Suppressed">Whether later events are refused, by this request or an earlier one.</param>
public sealed record ErasureReceipt(string Fingerprint, DateTime Erased, long Events, long Snapshots, long Visits,
    bool Suppressed);

/// <summary>DELETE /api/fingerprints/{fingerprint}: forgets a fingerprint.</summary>
internal static class EraseEndpoint
{
    public static void MapErase(this IEndpointRouteBuilder routes) =>
        routes.MapDelete("/api/fingerprints/{fingerprint}", Erase)
            .WithName("EraseFingerprint")
            .WithSummary("Erase a fingerprint")
            .WithDescription(
                "Removes its events, their ids and what is kept beside them. Totals stay: they name nobody. "
                + "Later events count as those of a new fingerprint, or with suppress=true are refused. May be "
                + "repeated.");

    internal static async Task<Results<JsonAnswer<ErasureReceipt>, Refusal>> Erase(
        FingerprintPath path, string? suppress, FrontEnd frontEnd, TimeProvider clock)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (suppress is not (null or "true" or "false"))
            return Refusal.UnknownValue("suppress", "true or false, or left out");
        var result = await frontEnd.Erase(path.Fingerprint!, suppress == "true");
        if (result is not { } removed) return Refusal.ErasureOpen();
        var erased = DatabaseTime.From(clock.GetUtcNow());
        var receipt = new ErasureReceipt(
            path.Fingerprint!, erased, removed.Events, removed.Snapshots, removed.Visits, removed.Suppressed);
        return new JsonAnswer<ErasureReceipt>(receipt, HttpJson.Default.ErasureReceipt);
    }
}
