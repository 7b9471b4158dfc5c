using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>How many different fingerprints there were.</summary>
/// <param name="From">UTC: the start of the range.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Product">The only product that was counted; absent for all.</param>
/// <param name="Events">Events.</param>
/// <param name="UniqueFingerprints">Different fingerprints, each counted once over all days and products.</param>
/// <param name="Products">With groupBy=product, the products with the most fingerprints.</param>
public sealed record UniquesAnswer(
    DateTime From, DateTime To, string TimeZone, string? Product, long Events, long UniqueFingerprints,
    IReadOnlyList<ProductUniques>? Products);

/// <summary>GET /api/uniques: how many different fingerprints there were over days.</summary>
internal static class UniquesEndpoint
{
    private const int DaysDefault = 7;

    public static void MapUniques(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/uniques", Get)
            .WithName("GetUniques")
            .WithSummary("Count unique fingerprints over days, exactly")
            .WithDescription(
                "Every event acknowledged before this request is in it. from and to as for totals, the start of a "
                + "day; without them, the seven days until today. groupBy=product adds the products with most; "
                + "product counts one "
                + "alone.");

    internal static async Task<Results<JsonAnswer<UniquesAnswer>, Refusal>> Get(
        HttpContext context, string? from, string? to, string? groupBy, string? product, FreshVisits visits,
        Calendar calendar, Limits limits, TimeProvider clock)
    {
        if (groupBy is not (null or "product")) return Refusal.UnknownValue("groupBy", "product");
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;

        var productsMax = groupBy is null ? 0 : limits.TopMax;
        return await visits.Query((storage, cancellation) => Count(storage, range, product, productsMax, cancellation),
            answer => new JsonAnswer<UniquesAnswer>(answer, HttpJson.Default.UniquesAnswer), context.RequestAborted);
    }

    private static async Task<UniquesAnswer> Count(
        SqlStorage storage, TimeRange range, string? product, int productsMax, CancellationToken cancellation)
    {
        var (first, end) = range.Days;
        var (events, uniques) = await storage.CountUniques(first, end, product, cancellation);
        var products = productsMax > 0 ? await storage.TopUniques(first, end, product, productsMax, cancellation)
            : null;
        return new(range.From, range.To, range.TimeZone, product, events, uniques, products);
    }
}
