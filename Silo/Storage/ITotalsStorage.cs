using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How wide the pieces of time are into which a sum is taken apart, in UTC.</summary>
public enum TotalsBucket { Minute, Hour, Day, All }

/// <summary>Which sums come first.</summary>
public enum TotalsOrder
{
    /// <summary>By time, product and action.</summary>
    Time,
    /// <summary>The largest, by <see cref="RollupCounts.Events"/>.</summary>
    Events,
    /// <summary>The largest, by <see cref="RollupCounts.NewFingerprints"/>.</summary>
    NewFingerprints,
    /// <summary>The largest, by <see cref="RollupCounts.NewProductFingerprints"/>.</summary>
    NewProductFingerprints,
    /// <summary>The largest, by <see cref="RollupCounts.DailyProductFingerprints"/>.</summary>
    DailyProductFingerprints,
}

/// <summary>Which events to sum up, and how to take the sum apart.</summary>
/// <param name="From">UTC, at the start of a bucket; of a minute with <see cref="TotalsBucket.All"/>.</param>
/// <param name="To">Likewise: the first moment that does not belong.</param>
/// <param name="Bucket">The pieces of time.</param>
public sealed record TotalsQuestion(DateTime From, DateTime To, TotalsBucket Bucket)
{
    public bool ByProduct { get; init; }
    public bool ByAction { get; init; }

    /// <summary>The only one to count; null for all.</summary>
    public string? Product { get; init; }

    /// <summary>The only one to count; null for all.</summary>
    public string? Action { get; init; }

    public TotalsOrder Order { get; init; }

    /// <summary>Whether a sum is one product's, so that a fingerprint is new in it when it is new to the product.</summary>
    public bool IsOfProducts => ByProduct || Product is not null;
}

/// <summary>One sum, of at least one event.</summary>
/// <param name="Time">UTC: the begin of its bucket; the question's with <see cref="TotalsBucket.All"/>.</param>
/// <param name="Product">Null where the question does not ask by product.</param>
/// <param name="Action">Null where the question does not ask by action.</param>
/// <param name="Counts">The sum.</param>
public sealed record TotalsSum(DateTime Time, string? Product, string? Action, RollupCounts Counts);

/// <summary>Sums over all fingerprints, merged and not merged yet.</summary>
/// <remarks>
/// Errors: <see cref="EventLogUnavailableException"/> where the database does not answer. A question that is cancelled has stopped
/// reading when it throws.
/// </remarks>
public interface ITotalsStorage
{
    /// <summary>
    /// The first sums of a question, in its order, as of one moment: every event recorded before is in them once, whether a
    /// merge is under way or not. What it costs grows with the hours and pairs of product and action in the range, with
    /// <see cref="TotalsBucket.Minute"/> with its minutes, and not with the number of events.
    /// </summary>
    Task<IReadOnlyList<TotalsSum>> ReadTotals(TotalsQuestion question, int limit, CancellationToken cancellation);
}
