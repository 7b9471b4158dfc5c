using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>Sums over all fingerprints, by time.</summary>
/// <param name="From">UTC: as asked for, or what it is without that.</param>
/// <param name="To">Likewise: the first moment that does not belong.</param>
/// <param name="Bucket">minute, hour, day or all.</param>
/// <param name="Points">By time, then product and action: one for each bucket and each of these that occurs in the range.</param>
public sealed record TotalsAnswer(DateTime From, DateTime To, string Bucket, IReadOnlyList<TotalsPoint> Points)
{
    /// <summary>The answer made of all sums of a question, with zeros where nothing happened.</summary>
    /// <returns>Null where it has too many points.</returns>
    internal static TotalsAnswer? Of(TotalsQuestion question, TimeRange range, IReadOnlyList<TotalsSum> sums, Limits limits)
    {
        var groups = sums.Select(sum => (sum.Product, sum.Action)).Distinct()
            .OrderBy(group => group.Product, StringComparer.Ordinal).ThenBy(group => group.Action, StringComparer.Ordinal).ToList();
        if (groups.Count == 0 && !question.ByProduct && !question.ByAction) groups.Add((null, null));
        if (range.Count(question.Bucket) * groups.Count > limits.PointsMax) return null;

        var known = sums.ToDictionary(sum => (sum.Time, sum.Product, sum.Action), sum => sum.Counts);
        var points = range.Begins(question.Bucket).SelectMany(time => groups.Select(group => TotalsPoint.Of(
            question, time, group.Product, group.Action, known.GetValueOrDefault((time, group.Product, group.Action)))));
        return new(range.From, range.To, question.Bucket.ToString().ToLowerInvariant(), [.. points]);
    }
}

/// <summary>What happened in one bucket.</summary>
/// <param name="Time">UTC: its begin.</param>
/// <param name="Product">Where it was asked for by product.</param>
/// <param name="Action">Where it was asked for by action.</param>
/// <param name="Events">Events.</param>
/// <param name="NewFingerprints">Fingerprints whose first event is among these: ever, or of a product where products are told apart.</param>
/// <param name="UniqueFingerprints">Different fingerprints. Only of days, and where actions are not told apart: there it is exact.</param>
public sealed record TotalsPoint(
    DateTime Time, string? Product, string? Action, long Events, long NewFingerprints, long? UniqueFingerprints)
{
    internal static TotalsPoint Of(TotalsQuestion question, DateTime time, string? product, string? action, RollupCounts counts) => new(
        time, product, action, counts.Events,
        question.IsOfProducts ? counts.NewProductFingerprints : counts.NewFingerprints,
        question.Bucket != TotalsBucket.Day || question.ByAction || question.Action is not null ? null
            : question.IsOfProducts ? counts.DailyProductFingerprints : counts.DailyFingerprints);
}
