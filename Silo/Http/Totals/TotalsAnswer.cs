using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>Sums over all fingerprints, by time.</summary>
/// <param name="From">UTC: the start of the range.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which hours, days, weeks and months are.</param>
/// <param name="Bucket">minute, hour, day, week, month or all.</param>
/// <param name="Points">By time, then product and action: one for each bucket and group.</param>
public sealed record TotalsAnswer(
    DateTime From, DateTime To, string TimeZone, string Bucket, IReadOnlyList<TotalsPoint> Points)
{
    /// <summary>With compare, the earlier range.</summary>
    public ComparedRange? Compared { get; init; }

    /// <summary>The answer to a query, with zeros for buckets without events.</summary>
    /// <param name="earlier">The range to compare with, or null.</param>
    /// <param name="earlierSums">Its sums.</param>
    /// <returns>Null if it has too many points.</returns>
    internal static TotalsAnswer? Create(
        TotalsQuestion question, TimeRange range, IReadOnlyList<TotalsSum> sums,
        TimeRange? earlier, IReadOnlyList<TotalsSum> earlierSums, Limits limits)
    {
        var groups = sums.Concat(earlierSums).Select(sum => (sum.Product, sum.Action)).Distinct()
            .OrderBy(group => group.Product, StringComparer.Ordinal).ThenBy(group => group.Action,
                StringComparer.Ordinal).ToList();
        if (groups.Count == 0 && !question.ByProduct && !question.ByAction) groups.Add((null, null));
        if (groups.Count > 0 && range.HasMoreThan(limits.PointsMax / groups.Count, question.Bucket)) return null;

        IEnumerable<TotalsPoint> Points(IEnumerable<DateTime> starts, IReadOnlyList<TotalsSum> sums)
        {
            var known = sums.ToDictionary(sum => (sum.Time, sum.Product, sum.Action), sum => sum.Counts);
            return starts.SelectMany(time => groups.Select(group => TotalsPoint.Create(
                question, time, group.Product, group.Action,
                known.GetValueOrDefault((time, group.Product, group.Action)))));
        }
        var starts = range.BucketStarts(question.Bucket);
        return Create(question.Bucket, range, Points(starts, sums),
            earlier, earlier is null ? [] : Points(starts.Select(earlier.Beside), earlierSums));
    }

    /// <param name="points">All points of the range.</param>
    /// <param name="earlierPoints">As many of the earlier range, in the same order.</param>
    internal static TotalsAnswer Create(TotalsBucket bucket, TimeRange range, IEnumerable<TotalsPoint> points,
        TimeRange? earlier, IEnumerable<TotalsPoint> earlierPoints) => new(
        range.From, range.To, range.TimeZone, bucket.ToString().ToLowerInvariant(), earlier is null ? [.. points]
            : [.. points.Zip(earlierPoints, (now, then) => now with { Compared = then.ComparedWith(now.Events) })])
        {
            Compared = earlier.ToAnswer(),
        };
}

/// <summary>The sums of one bucket.</summary>
/// <param name="Time">UTC: its start.</param>
/// <param name="Product">The product, if grouped by product.</param>
/// <param name="Action">The action, if grouped by action.</param>
/// <param name="Events">Events.</param>
/// <param name="NewFingerprints">Fingerprints whose first event, ever or of the product, is among these. Absent with a
/// dimension.</param>
/// <param name="UniqueFingerprints">Different fingerprints, exactly. Only for days, and not by action; with a dimension
/// only for one product.</param>
public sealed record TotalsPoint(
    DateTime Time, string? Product, string? Action, long Events, long? NewFingerprints, long? UniqueFingerprints)
{
    /// <summary>The value, if grouped by a dimension.</summary>
    public string? Value { get; init; }

    /// <summary>True for all values together that came after a day's limit was reached.</summary>
    public bool? Other { get; init; }

    /// <summary>With compare, the same of the earlier range.</summary>
    public Compared? Compared { get; init; }

    internal Compared ComparedWith(long events) => Totals.Compared.From(events, Events) with
    {
        NewFingerprints = NewFingerprints,
        UniqueFingerprints = UniqueFingerprints,
    };

    internal static TotalsPoint Create(
        TotalsQuestion question, DateTime time, string? product, string? action, RollupCounts counts) => new(
        time, product, action, counts.Events,
        question.IsOfProducts ? counts.NewProductFingerprints : counts.NewFingerprints,
        question.Bucket != TotalsBucket.Day || question.ByAction || question.Action is not null ? null
            : question.IsOfProducts ? counts.DailyProductFingerprints : counts.DailyFingerprints);
}
