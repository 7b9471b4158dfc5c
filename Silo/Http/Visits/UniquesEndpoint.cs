using Tally.Contracts;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>How many different fingerprints there were over days.</summary>
internal static class UniquesEndpoint
{
    private static readonly TimeSpan Usual = TimeSpan.FromDays(7);

    public static void MapUniques(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/uniques", Get)
            .TakesTurns()
            .TakesParameters("from", "to", "groupBy", "product")
            .WithName("GetUniques")
            .WithSummary("Count unique fingerprints over days, exactly")
            .WithDescription("Every event acknowledged before this request is in it. from and to as for totals, the start of a UTC day; without "
                + "them, the seven days until today. groupBy=product adds the products with most; product counts one alone.")
            .Produces<UniquesAnswer>()
            .ProducesRefusals(400, 401, 403, 422, 429, 503);

    private static async Task<IResult> Get(HttpRequest request, string? from, string? to, string? groupBy, string? product,
        FreshVisits visits, Limits limits, TimeProvider clock)
    {
        if (groupBy is not (null or "product")) return Refusal.UnknownValue("groupBy", "product");
        if (product is not null && EventFields.CheckText("product", product, limits.ProductBytesMax) is { } text) return text;
        if (TimeRange.Read(from, to, TotalsBucket.Day, Usual, clock.GetUtcNow().UtcDateTime, out var range) is { } time) return time;
        if (range.Count(TotalsBucket.Day) > limits.UniquesDaysMax) return Refusal.TooManyDays(limits.UniquesDaysMax);

        return await visits.Ask((storage, cancellation) => Count(storage, range, product, groupBy is null ? 0 : limits.TopMax, cancellation),
            answer => new JsonAnswer<UniquesAnswer>(answer, HttpJson.Default.UniquesAnswer), request.HttpContext.RequestAborted);
    }

    private static async Task<UniquesAnswer> Count(
        SqlStorage storage, TimeRange range, string? product, int productsMax, CancellationToken cancellation)
    {
        var (first, end) = range.Days;
        var (events, uniques) = await storage.CountUniques(first, end, product, cancellation);
        var products = productsMax > 0 ? await storage.TopUniques(first, end, product, productsMax, cancellation) : null;
        return new(range.From, range.To, product, events, uniques, products);
    }
}
