using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>GET /api/breakdown: events by the values of one of their properties.</summary>
internal static class BreakdownEndpoint
{
    private const int LimitDefault = 10;
    private static readonly TimeSpan Usual = TimeSpan.FromDays(30);

    public static void MapBreakdown(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/breakdown", Get)
            .WithName("GetBreakdown")
            .WithSummary("Count events by the values of a property")
            .WithDescription(
                "Every event acknowledged before this request is in it. by is one of the service's dimensions. from "
                + "and to as for totals, the start of a UTC day; without them, the 30 days until today. product counts "
                + "one product's events alone. filter, a dimension and a value as in path:/pricing, counts only events "
                + "that have it; of another dimension than by, that reads all events of the range.");

    private static async Task<Results<JsonAnswer<BreakdownAnswer>, Refusal>> Get(
        HttpContext context, string? by, string? product, string? from, string? to, string? limit, string? filter,
        FreshVisits visits, Dimensions dimensions, Limits limits, TimeProvider clock)
    {
        if (by is null) return Refusal.MissingField("by");
        if (dimensions.Find("by", by, out var property) is { } unknown) return unknown;
        if (dimensions.ParseFilter(filter, out var only) is { } badFilter) return badFilter;
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.Parse(from, to, TotalsBucket.Day, Usual, now, out var range) is { } badRange) return badRange;
        if (range.Count(TotalsBucket.Day) > limits.UniquesDaysMax) return Refusal.TooManyDays(limits.UniquesDaysMax);

        var question = new DimensionQuestion(property, range.Days.First, range.Days.End)
        {
            Product = product,
            Value = only?.Dimension == property ? only.Value.Value : null,
            ByValue = true,
        };
        JsonAnswer<BreakdownAnswer> Answer(IReadOnlyList<DimensionSum> sums) =>
            new(ToAnswer(by, range, sums, size), HttpJson.Default.BreakdownAnswer);
        // one more for the other values, which come first
        return await visits.Query((storage, ended) => only is { } other && other.Dimension != property
            ? storage.ScanDimensions(question, other, size + 1, ended)
            : storage.ReadDimensionSums(question, size + 1, ended), Answer, context.RequestAborted);
    }

    private static BreakdownAnswer ToAnswer(
        string by, TimeRange range, IReadOnlyList<DimensionSum> sums, int limit) => new(
        by, range.From, range.To, sums.Count == 0 ? 0 : sums[0].EventsOfAll,
        [.. sums.Where(sum => sum.Value != "").Take(limit).Select(ToEntry)],
        sums.Where(sum => sum.Value == "").Select(sum => ToEntry(sum with { Value = null })).FirstOrDefault());

    private static BreakdownEntry ToEntry(DimensionSum sum) =>
        new(sum.Value, sum.Counts.Events, sum.Counts.Fingerprints);
}
