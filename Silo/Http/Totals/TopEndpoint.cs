using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>GET /api/top: the products, actions and fingerprints with most of something.</summary>
internal static class TopEndpoint
{
    private const int LimitDefault = 10;
    private const int DaysDefault = 30;

    public static void MapTop(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/top", Get)
            .WithName("GetTop")
            .WithSummary("The products, actions or fingerprints with most events or visitors")
            .WithDescription(
                "of is products, actions or fingerprints; by is events, newFingerprints or, of products, uniques. from "
                + "and to as for totals, the start of a minute; of fingerprints and by uniques, of a day. product "
                + "counts one product's events alone. of also takes a dimension, and with it or with products, filter "
                + "takes a dimension and a value as in path:/pricing: both count events, of whole days."
                + Comparison.Description);

    internal static async Task<Results<JsonAnswer<TopAnswer>, Refusal>> Get(
        HttpContext context, string? of, string? by, string? from, string? to, string? product, string? limit,
        string? filter, string? compare, SqlStorage totals, FreshVisits visits, DimensionTotals dimensions,
        Calendar calendar, Limits limits, TimeProvider clock)
    {
        if (of is null) return Refusal.MissingField("of");
        var ofDimension = filter is not null || of is not ("products" or "actions" or "fingerprints");
        if ((by ??= "events") is not ("events" or "uniques" or "newFingerprints"))
            return Refusal.UnknownValue("by", "events, uniques or newFingerprints");
        if (of == "fingerprints" && by != "events")
            return Refusal.UnknownValue("by", "events, as fingerprints are asked for");
        if (by == "uniques" && of != "products") return Refusal.UniquesOfProductsOnly();
        if (ofDimension && by != "events")
            return Refusal.NotWithDimensions("by", "With a dimension, the parameter by must be events.");
        if (filter is not null && of is ("actions" or "fingerprints"))
            return Refusal.NotWithDimensions("of", "A filter goes with products or a dimension.");
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if ((of == "fingerprints" || by == "uniques" || ofDimension
            ? TimeRange.ParseDays(from, to, 1, calendar, limits, now, out var range)
            : TimeRange.Parse(from, to, TotalsBucket.All, DaysDefault, calendar, now, out range)) is { } badRange)
            return badRange;
        if (Comparison.Parse(compare, range, TotalsBucket.All, out var earlier) is { } badCompare) return badCompare;
        if (earlier is not null && of == "fingerprints") return Refusal.FingerprintsNotCompared();

        if (ofDimension)
            return await dimensions.Top(range, earlier, of, product, filter, size, context.RequestAborted);

        JsonAnswer<TopAnswer> Answer(IEnumerable<TopEntry> top, IEnumerable<TopEntry> earlierTop) =>
            new(TopAnswer.Create(of, by, range, top, earlier, earlierTop), HttpJson.Default.TopAnswer);
        var (first, end) = range.Days;
        var cancellation = context.RequestAborted;
        if (of == "fingerprints")
            return await visits.Query((storage, ended) => storage.TopFingerprints(first, end, product, size, ended),
                top => Answer(top.Select(ToEntry), []), cancellation);
        if (by == "uniques" && !range.IsDay) // a single day's are in the rollups
            return await visits.Query(async (storage, ended) => (
                    Now: await storage.TopUniques(first, end, product, size, ended),
                    Then: earlier is null ? [] : await storage.TopUniques(
                        earlier.Days.First, earlier.Days.End, product, int.MaxValue, ended)),
                top => Answer(top.Now.Select(ToEntry), top.Then.Select(ToEntry)), cancellation);

        var question = ToQuestion(range, of, by, product);
        var sums = await totals.ReadTotals(question, size, cancellation);
        var earlierSums = earlier is null ? [] : await totals.ReadTotals(
            question with { From = earlier.From, To = earlier.To }, int.MaxValue, cancellation);
        return Answer(sums.Select(sum => ToEntry(question, range, sum)),
            earlierSums.Select(sum => ToEntry(question, range, sum)));
    }

    private static TotalsQuestion ToQuestion(TimeRange range, string of, string by, string? product)
    {
        var question =
            range.In(TotalsBucket.All) with
            {
                ByProduct = of == "products",
                ByAction = of == "actions",
                Product = product
            };
        return question with
        {
            Order = by switch
            {
                "uniques" => TotalsOrder.DailyProductFingerprints,
                "newFingerprints" =>
                    question.IsOfProducts ? TotalsOrder.NewProductFingerprints : TotalsOrder.NewFingerprints,
                _ => TotalsOrder.Events,
            },
        };
    }

    private static TopEntry ToEntry(FingerprintSummary one) => new(null, null, one.Total, null, null)
    {
        Fingerprint = one.Fingerprint,
        FirstSeen = one.FirstSeen,
        LastSeen = one.LastSeen,
    };

    private static TopEntry ToEntry(ProductUniques one) =>
        new(one.Product, null, one.Events, null, one.UniqueFingerprints);

    private static TopEntry ToEntry(TotalsQuestion question, TimeRange range, TotalsSum sum) => new(
        sum.Product, sum.Action, sum.Counts.Events,
        question.IsOfProducts ? sum.Counts.NewProductFingerprints : sum.Counts.NewFingerprints,
        question.ByProduct && range.IsDay ? sum.Counts.DailyProductFingerprints : null);
}
