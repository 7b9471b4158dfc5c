using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>Who was there.</summary>
internal static class FingerprintListEndpoint
{
    private const int PageFingerprintsDefault = 100;

    public static void MapFingerprintList(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/fingerprints", List)
            .TakesTurns()
            .TakesParameters("sort", "product", "after", "limit")
            .WithName("ListFingerprints")
            .WithSummary("Page through all fingerprints")
            .WithDescription("sort=recent (last seen last, first), first (first seen first, first) or total (most events first); with "
                + "product, what each did with that product. The answer's next, where there is one, is the after of the next page.")
            .Produces<FingerprintsPage>()
            .ProducesRefusals(400, 401, 403, 422, 429, 503);

    private static async Task<IResult> List(
        HttpRequest request, string? sort, string? product, string? after, string? limit, FreshVisits visits, Limits limits)
    {
        if (OrderOf(sort) is not { } order) return Refusal.UnknownValue("sort", "recent, first or total");
        if (product is not null && EventFields.CheckText("product", product, limits.ProductBytesMax) is { } text) return text;
        var place = after is null ? FingerprintPlace.Begin(order) : FingerprintCursor.Read(after, order, limits);
        if (place is null) return Refusal.InvalidPlace();
        if (!WholeNumber.TryRead(limit, 1, limits.PageFingerprintsMax, Math.Min(PageFingerprintsDefault, limits.PageFingerprintsMax), out var size))
            return Refusal.OutOfRange("limit", 1, limits.PageFingerprintsMax);

        return await visits.Ask((storage, cancellation) => storage.ListFingerprints(place, product, (int)size, cancellation),
            page => new JsonAnswer<FingerprintsPage>(FingerprintsPage.Of(order, page, (int)size), HttpJson.Default.FingerprintsPage),
            request.HttpContext.RequestAborted);
    }

    private static FingerprintOrder? OrderOf(string? sort) => sort switch
    {
        null or "recent" => FingerprintOrder.Recent,
        "first" => FingerprintOrder.First,
        "total" => FingerprintOrder.Total,
        _ => null,
    };
}
