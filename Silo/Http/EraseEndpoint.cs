namespace Tally.Silo.Http;

/// <summary>What was removed of a fingerprint that was erased.</summary>
/// <param name="Fingerprint">Whose.</param>
/// <param name="Erased">UTC: since when nothing of before is kept.</param>
/// <param name="Events">Of the log, with their ids.</param>
/// <param name="Snapshots">Of what they add up to.</param>
/// <param name="Visits">Of its days with a product.</param>
/// <param name="Suppressed">Whether later events are refused, by this request's wish or an earlier one's.</param>
public sealed record ErasureReceipt(string Fingerprint, DateTime Erased, long Events, long Snapshots, long Visits, bool Suppressed);

/// <summary>A fingerprint is forgotten.</summary>
internal static class EraseEndpoint
{
    public static void MapErase(this IEndpointRouteBuilder routes) =>
        routes.MapDelete("/api/fingerprints/{fingerprint}", Erase)
            .TakesParameters("suppress")
            .WithName("EraseFingerprint")
            .WithSummary("Erase a fingerprint")
            .WithDescription("Removes its events, their ids and what is kept beside them. Totals stay: they name nobody. Events that come "
                + "later are a new fingerprint's, or with suppress=true refused. May be repeated.")
            .Produces<ErasureReceipt>()
            .ProducesRefusals(400, 401, 403, 422, 503);

    private static async Task<IResult> Erase(FingerprintPath path, string? suppress, FrontEnd frontEnd, TimeProvider clock)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (suppress is not (null or "true" or "false")) return Refusal.UnknownValue("suppress", "true or false, or left out");
        var removed = await frontEnd.Erase(path.Fingerprint!, suppress == "true");
        return removed is null ? Refusal.ErasureOpen()
            : new JsonAnswer<ErasureReceipt>(
                new(path.Fingerprint!, EventFields.WholeMicroseconds(clock.GetUtcNow()), removed.Events, removed.Snapshots, removed.Visits, removed.Suppressed),
                HttpJson.Default.ErasureReceipt);
    }
}
