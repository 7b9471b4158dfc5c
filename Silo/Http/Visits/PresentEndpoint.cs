using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;

namespace Tally.Silo.Http.Visits;

/// <summary>Who is here now.</summary>
/// <param name="Since">UTC: five minutes ago, a whole second.</param>
/// <param name="Product">The only product that was counted; absent for all.</param>
/// <param name="Fingerprints">Different fingerprints with an event since then.</param>
public sealed record PresentAnswer(DateTime Since, string? Product, long Fingerprints);

/// <summary>GET /api/present: how many different fingerprints were seen in the last five minutes.</summary>
internal static class PresentEndpoint
{
    private static readonly TimeSpan Presence = TimeSpan.FromMinutes(5);

    public static void MapPresent(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/present", Get)
            .WithName("GetPresent")
            .WithSummary("Count who was seen in the last five minutes, exactly")
            .WithDescription(
                "Different fingerprints with an event that happened since. product counts one product's events alone.");

    internal static async Task<Results<JsonAnswer<PresentAnswer>, Refusal>> Get(
        HttpContext context, string? product, FreshVisits visits, Limits limits, TimeProvider clock)
    {
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        var since = clock.GetUtcNow().UtcDateTime - Presence;
        since = since.AddTicks(-(since.Ticks % TimeSpan.TicksPerSecond));
        return await visits.Query((storage, ended) => storage.CountPresent(since, product, ended),
            count => new JsonAnswer<PresentAnswer>(new(since, product, count), HttpJson.Default.PresentAnswer),
            context.RequestAborted);
    }
}
