using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>What a fingerprint's newest events say about it.</summary>
/// <param name="Fingerprint">As its client wrote it.</param>
/// <param name="Values">The newest value of each dimension that has one.</param>
public sealed record FingerprintValues(string Fingerprint, IReadOnlyDictionary<string, string> Values);

/// <summary>GET /api/fingerprints/{fingerprint}/values: the newest value of each dimension.</summary>
internal static class FingerprintValuesEndpoint
{
    public static void MapFingerprintValues(this IEndpointRouteBuilder routes, Limits limits) =>
        routes.MapGet("/api/fingerprints/{fingerprint}/values", Get)
            .AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits))
            .WithName("GetFingerprintValues")
            .WithSummary("A fingerprint's newest value of each dimension")
            .WithDescription("The newest by the time at which it happened, among the 1,000 events recorded last.")
            .ProducesRefusals(404);

    internal static async Task<Results<JsonAnswer<FingerprintValues>, Refusal>> Get(
        HttpContext context, FingerprintPath path, SqlStorage log, Dimensions dimensions, Limits limits)
    {
        if (path.Refusal is not null) return path.Refusal;
        var fingerprint = path.Fingerprint!;
        var values = await log.ReadNewestValues(fingerprint, limits.PageEventsMax, context.RequestAborted);
        if (values.Count == 0 && (await log.ReadHeads([fingerprint])).Count == 0)
            return Refusal.UnknownFingerprint();
        return new JsonAnswer<FingerprintValues>(
            new(fingerprint, dimensions.Named(values)), HttpJson.Default.FingerprintValues);
    }
}
