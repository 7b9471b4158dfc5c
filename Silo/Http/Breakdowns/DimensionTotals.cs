using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>Totals by a dimension, or of one of its values. They are counted by the day, over all actions.</summary>
internal sealed class DimensionTotals(FreshVisits visits, Dimensions dimensions, Limits limits)
{
    /// <summary>Why names to group by are refused, or null.</summary>
    public Refusal? CheckNames(IEnumerable<string> groupBy) => groupBy
        .Where(name => name is not ("product" or "action"))
        .Select(name => dimensions.Find("groupBy", name, out _)).FirstOrDefault(refusal => refusal is not null);

    /// <param name="earlier">The range to compare with, or null.</param>
    /// <param name="product">Counts only this product; null for all.</param>
    /// <param name="filter">As it was sent, or null.</param>
    /// <param name="by">A dimension, product, or both.</param>
    public async Task<Results<JsonAnswer<TotalsAnswer>, Refusal>> Sum(
        TotalsBucket bucket, TimeRange range, TimeRange? earlier, string? product, string? filter,
        IReadOnlyList<string> by, CancellationToken cancellation)
    {
        string[] values = [.. by.Where(name => name != "product")];
        if (ToQuestion(range, product, filter, "groupBy", values, out var question) is { } refusal) return refusal;
        question = question with { ByDay = bucket == TotalsBucket.Day, ByProduct = by.Contains("product") };
        if (range.HasMoreThan(limits.PointsMax, bucket)) return Refusal.TooManyPoints(limits.PointsMax);
        var answered = await visits.Query(async (storage, ended) => (
                await storage.ReadDimensionSums(question, limits.PointsMax + 1, ended),
                earlier is null ? []
                    : await storage.ReadDimensionSums(Over(question, earlier), limits.PointsMax + 1, ended)),
            sums => new JsonAnswer<TotalsAnswer>(ToAnswer(question, bucket, range, sums.Item1, earlier, sums.Item2),
                HttpJson.Default.TotalsAnswer), cancellation);
        return answered.Result is JsonAnswer<TotalsAnswer> { Value.Points.Count: var count } && count > limits.PointsMax
            ? Refusal.TooManyPoints(limits.PointsMax) : answered;
    }

    /// <summary>The products, or the values of a dimension, with most events.</summary>
    /// <param name="of">products, or a dimension.</param>
    /// <inheritdoc cref="Sum"/>
    public async Task<Results<JsonAnswer<TopAnswer>, Refusal>> Top(TimeRange range, TimeRange? earlier, string of,
        string? product, string? filter, int limit, CancellationToken cancellation)
    {
        if (ToQuestion(range, product, filter, "of", of == "products" ? [] : [of], out var question) is { } refusal)
            return refusal;
        question = question with { ByProduct = of == "products" };
        TopEntry ToEntry(DimensionSum sum) => new(
            sum.Product, null, sum.Counts.Events, null, Uniques(question, range, sum))
        {
            Value = sum.Value == "" ? null : sum.Value,
            Other = sum.Value == "" ? true : null,
        };
        return await visits.Query(
            (storage, ended) => ReadLargest(storage, question, earlier, limit, ended),
            sums => new JsonAnswer<TopAnswer>(TopAnswer.Create(of, "events", range,
                sums.Now.OrderByDescending(sum => sum.Counts.Events).Select(ToEntry),
                earlier, sums.Then.Select(ToEntry)), HttpJson.Default.TopAnswer), cancellation);
    }

    /// <summary>Reads the largest sums, and the same ones of an earlier range.</summary>
    public static async Task<(IReadOnlyList<DimensionSum> Now, IReadOnlyList<DimensionSum> Then)> ReadLargest(
        SqlStorage storage, DimensionQuestion question, TimeRange? earlier, int limit, CancellationToken cancellation)
    {
        var now = await storage.ReadDimensionSums(question, limit, cancellation);
        return (now, earlier is null ? []
            : await storage.ReadSameDimensionSums(Over(question, earlier), now, cancellation));
    }

    /// <summary>The same question about another range.</summary>
    public static DimensionQuestion Over(DimensionQuestion question, TimeRange range) =>
        question with { From = range.Days.First, To = range.Days.End };

    private Refusal? ToQuestion(
        TimeRange range, string? product, string? filter, string field, string[] by, out DimensionQuestion question)
    {
        question = new("", range.Days.First, range.Days.End) { Product = product };
        if (dimensions.ParseFilter(filter, out var only) is { } badFilter) return badFilter;
        string? property = null;
        foreach (var name in by)
            if (dimensions.Find(field, name, out property) is { } unknown) return unknown;
        if (by.Length > 1 || property is not null && only is not null && only.Value.Dimension != property)
            return Refusal.TwoDimensions();
        if (range.HasMoreThan(limits.UniquesDaysMax, TotalsBucket.Day))
            return Refusal.TooManyDays(limits.UniquesDaysMax);
        question = question with
        {
            Dimension = property ?? only!.Value.Dimension,
            Value = only?.Value,
            ByValue = property is not null,
        };
        return null;
    }

    private TotalsAnswer ToAnswer(DimensionQuestion question, TotalsBucket bucket, TimeRange range,
        IReadOnlyList<DimensionSum> sums, TimeRange? earlier, IReadOnlyList<DimensionSum> earlierSums)
    {
        var groups = sums.Concat(earlierSums).Select(sum => (sum.Product, sum.Value)).Distinct()
            .OrderBy(group => group.Product, StringComparer.Ordinal)
            .ThenBy(group => group.Value, StringComparer.Ordinal).ToList();
        if (groups.Count == 0 && question is { ByProduct: false, ByValue: false }) groups.Add((null, null));
        IEnumerable<TotalsPoint> Points(
            IEnumerable<DateTime> starts, TimeRange of, IReadOnlyList<DimensionSum> sums)
        {
            var known = sums.ToDictionary(sum => (sum.Day, sum.Product, sum.Value));
            return starts.SelectMany(time => groups.Select(group =>
            {
                DateOnly? day = question.ByDay ? range.Calendar.DayOf(time) : null;
                var sum = known.GetValueOrDefault((day, group.Product, group.Value));
                return new TotalsPoint(time, group.Product, null, sum?.Counts.Events ?? 0, null,
                    sum is null ? null : Uniques(question, of, sum))
                {
                    Value = group.Value == "" ? null : group.Value,
                    Other = group.Value == "" ? true : null,
                };
            })).Take(limits.PointsMax + 1);
        }
        var starts = range.BucketStarts(bucket);
        return TotalsAnswer.Create(bucket, range, Points(starts, range, sums), earlier,
            earlier is null ? [] : Points(starts.Select(earlier.Beside), earlier, earlierSums));
    }

    // Known for one day of one product.
    private static long? Uniques(DimensionQuestion question, TimeRange range, DimensionSum sum) =>
        (question.ByDay || range.IsDay) && (question.ByProduct || question.Product is not null)
            ? sum.Counts.Fingerprints : null;
}
