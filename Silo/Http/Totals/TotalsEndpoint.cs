using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>GET /api/totals: everyone's events, by time.</summary>
internal static class TotalsEndpoint
{
    // And how many a question without a range is about; for all, how many days.
    private static readonly Dictionary<string, (TotalsBucket Bucket, int Usual)> Buckets = new()
    {
        ["minute"] = (TotalsBucket.Minute, 60),
        ["hour"] = (TotalsBucket.Hour, 48),
        ["day"] = (TotalsBucket.Day, 30),
        ["week"] = (TotalsBucket.Week, 12),
        ["month"] = (TotalsBucket.Month, 12),
        ["all"] = (TotalsBucket.All, 30),
    };

    public static void MapTotals(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/totals", Get)
            .WithName("GetTotals")
            .WithSummary("Count everyone's events by time")
            .WithDescription(
                "Every event acknowledged before this request is in it. from and to are RFC 3339 or a date; to is not "
                + "part of the range. Both must be the start of a bucket (minute, hour, day, week or month in the "
                + "service's time zone; for all, of a minute). groupBy is product, action or both; product and action "
                + "count one alone. groupBy also takes a dimension, alone or with product, and filter a dimension and "
                + "a value as in path:/pricing: both by day or all. Days that are not grouped by action have exact "
                + "uniqueFingerprints." + Comparison.Description);

    internal static async Task<Results<JsonAnswer<TotalsAnswer>, Refusal>> Get(
        HttpContext context, string? from, string? to, string? bucket, string? groupBy, string? product, string? action,
        string? filter, string? compare, SqlStorage totals, DimensionTotals dimensions, Calendar calendar,
        Limits limits, TimeProvider clock)
    {
        if (!Buckets.TryGetValue(bucket ?? "day", out var kind))
            return Refusal.UnknownValue("bucket", "minute, hour, day, week, month or all");
        string[] groups = groupBy?.Split(',') ?? [];
        var ofDimension = filter is not null || groups.Any(name => name is not ("product" or "action"));
        if (groups.Distinct().Count() < groups.Length || groups.Contains(""))
            return Refusal.UnknownValue("groupBy", "product, action, product,action, a dimension or product and one");
        if (dimensions.CheckNames(groups) is { } unknown) return unknown;
        if (ofDimension && RefuseForDimension(kind.Bucket, groups, action) is { } unfit) return unfit;
        if ((QueryValue.CheckText("product", product, limits.ProductBytesMax)
            ?? QueryValue.CheckText("action", action, limits.ActionBytesMax)) is { } badText) return badText;
        var now = clock.GetUtcNow().UtcDateTime;
        var step = ofDimension ? TotalsBucket.Day : kind.Bucket;
        if (TimeRange.Parse(from, to, step, kind.Usual, calendar, now, out var range) is { } badRange)
            return badRange;
        if (Comparison.Parse(compare, range, kind.Bucket, out var earlier) is { } badCompare) return badCompare;
        if (range.HasMoreThan(limits.PointsMax, kind.Bucket)) return Refusal.TooManyPoints(limits.PointsMax);
        if (ofDimension)
            return await dimensions.Sum(kind.Bucket, range, earlier, product, filter, groups, context.RequestAborted);

        var question =
            range.In(kind.Bucket) with
            {
                ByProduct = groups.Contains("product"),
                ByAction = groups.Contains("action"),
                Product = product,
                Action = action
            };
        Task<IReadOnlyList<TotalsSum>> Read(TimeRange of) => totals.ReadTotals(
            question with { From = of.From, To = of.To }, limits.PointsMax + 1, context.RequestAborted);
        var sums = await Read(range);
        var earlierSums = earlier is null ? [] : await Read(earlier);
        return sums.Count <= limits.PointsMax && earlierSums.Count <= limits.PointsMax
            && TotalsAnswer.Create(question, range, sums, earlier, earlierSums, limits) is { } answer
            ? new JsonAnswer<TotalsAnswer>(answer, HttpJson.Default.TotalsAnswer)
            : Refusal.TooManyPoints(limits.PointsMax);
    }

    private static Refusal? RefuseForDimension(TotalsBucket bucket, string[] groups, string? action) =>
        bucket is not (TotalsBucket.Day or TotalsBucket.All)
            ? Refusal.NotWithDimensions("bucket", "With a dimension, the parameter bucket must be day or all.")
        : action is not null || groups.Contains("action")
            ? Refusal.NotWithDimensions("action", "With a dimension, all actions are counted together.")
        : null;
}
