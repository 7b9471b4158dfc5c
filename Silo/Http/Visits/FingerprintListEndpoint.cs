using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>A page of a list of fingerprints.</summary>
/// <param name="Fingerprints">In the list's order.</param>
/// <param name="Next">The <c>after</c> of the next page; absent if this page was not full.</param>
public sealed record FingerprintsPage(IReadOnlyList<FingerprintSummary> Fingerprints, string? Next);

/// <summary>GET /api/fingerprints: all fingerprints, page by page.</summary>
internal static class FingerprintListEndpoint
{
    private const int PageFingerprintsDefault = 100;

    public static void MapFingerprintList(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/fingerprints", List)
            .WithName("ListFingerprints")
            .WithSummary("Page through all fingerprints")
            .WithDescription(
                "sort is recent (latest event first), first (earliest first event first) or total (most events "
                + "first). With product, only its events count. If the answer has a next, that is the after of the "
                + "next page.");

    internal static async Task<Results<JsonAnswer<FingerprintsPage>, Refusal>> List(
        HttpContext context, string? sort, string? product, string? after, string? limit, FreshVisits visits,
        Limits limits)
    {
        if (ParseOrder(sort) is not { } order) return Refusal.UnknownValue("sort", "recent, first or total");
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        var place = after is null ? FingerprintPlace.Begin(order) : FingerprintCursor.Decode(after, order, limits);
        if (place is null) return Refusal.InvalidPlace();
        if (QueryValue.ParseLimit(limit, PageFingerprintsDefault, limits.PageFingerprintsMax,
            out var size) is { } badLimit)
            return badLimit;

        return await visits.Query((storage, cancellation) =>
            storage.ListFingerprints(place, product, size, cancellation),
            page => new JsonAnswer<FingerprintsPage>(new(page, NextOf(page, order, size)),
                HttpJson.Default.FingerprintsPage),
            context.RequestAborted);
    }

    private static FingerprintOrder? ParseOrder(string? sort) => sort switch
    {
        null or "recent" => FingerprintOrder.Recent,
        "first" => FingerprintOrder.First,
        "total" => FingerprintOrder.Total,
        _ => null,
    };

    private static string? NextOf(IReadOnlyList<FingerprintSummary> page, FingerprintOrder order, int size)
    {
        if (page.Count < size) return null;
        var last = page[^1];
        return FingerprintCursor.Encode(new(order, order switch
        {
            FingerprintOrder.Recent => last.LastSeen.Ticks,
            FingerprintOrder.First => last.FirstSeen.Ticks,
            _ => last.Total,
        }, last.Fingerprint));
    }
}
