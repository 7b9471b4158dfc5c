using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>GET /api/breakdown: events by the values of one of their properties.</summary>
internal static class BreakdownEndpoint
{
    private const int LimitDefault = 10;
    private const int OtherValues = 1; // they come first
    private const int DaysDefault = 30;

    public static void MapBreakdown(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/breakdown", Get)
            .WithName("GetBreakdown")
            .WithSummary("Count events by the values of a property")
            .WithDescription(
                "Every event acknowledged before this request is in it. by is one of the service's dimensions. from "
                + "and to as for totals, the start of a day; without them, the 30 days until today. product counts "
                + "one product's events alone. filter, a dimension and a value as in path:/pricing, counts only events "
                + "that have it; of another dimension than by, that reads all events of the range."
                + Comparison.Description);

    internal static async Task<Results<JsonAnswer<BreakdownAnswer>, Refusal>> Get(
        HttpContext context, string? by, string? product, string? from, string? to, string? limit, string? filter,
        string? compare, FreshVisits visits, Dimensions dimensions, Calendar calendar, Limits limits,
        TimeProvider clock)
    {
        if (by is null) return Refusal.MissingField("by");
        if (dimensions.Find("by", by, out var property) is { } unknown) return unknown;
        if (dimensions.ParseFilter(filter, out var only) is { } badFilter) return badFilter;
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;
        if (Comparison.Parse(compare, range, TotalsBucket.Day, out var earlier) is { } badCompare) return badCompare;

        var question = new DimensionQuestion(property, range.Days.First, range.Days.End)
        {
            Product = product,
            Value = only?.Dimension == property ? only.Value.Value : null,
            ByValue = true,
        };
        return await visits.Query((storage, ended) => only is { } other && other.Dimension != property
            ? ScanLargest(storage, question, other, earlier, size + OtherValues, ended)
            : DimensionTotals.ReadLargest(storage, question, earlier, size + OtherValues, ended),
            sums => new JsonAnswer<BreakdownAnswer>(ToAnswer(by, range, sums.Now, earlier, sums.Then, size),
                HttpJson.Default.BreakdownAnswer), context.RequestAborted);
    }

    private static async Task<(IReadOnlyList<DimensionSum> Now, IReadOnlyList<DimensionSum> Then)> ScanLargest(
        SqlStorage storage, DimensionQuestion question, DimensionValue filter, TimeRange? earlier, int limit,
        CancellationToken cancellation) => (
        await storage.ScanDimensions(question, filter, limit, cancellation),
        earlier is null ? [] : await storage.ScanDimensions(
            DimensionTotals.Over(question, earlier), filter, int.MaxValue, cancellation));

    private static BreakdownAnswer ToAnswer(string by, TimeRange range, IReadOnlyList<DimensionSum> sums,
        TimeRange? earlier, IReadOnlyList<DimensionSum> earlierSums, int limit)
    {
        var known = earlierSums.ToDictionary(sum => sum.Value!, sum => sum.Counts);
        BreakdownEntry ToEntry(DimensionSum sum) =>
            new(sum.Value == "" ? null : sum.Value, sum.Counts.Events, sum.Counts.Fingerprints)
            {
                Compared = earlier is null ? null : Compare(sum.Counts, known.GetValueOrDefault(sum.Value!)),
            };
        return new(by, range.From, range.To, range.TimeZone, EventsOfAll(sums),
            [.. sums.Where(sum => sum.Value != "").Take(limit).Select(ToEntry)],
            sums.Where(sum => sum.Value == "").Select(ToEntry).FirstOrDefault())
        {
            Compared = earlier is null ? null : earlier.ToAnswer()! with { Events = EventsOfAll(earlierSums) },
        };
    }

    private static Compared Compare(DimensionCounts now, DimensionCounts then) =>
        Compared.From(now.Events, then.Events) with { DailyFingerprints = then.Fingerprints };

    private static long EventsOfAll(IReadOnlyList<DimensionSum> sums) => sums.Count == 0 ? 0 : sums[0].EventsOfAll;
}
