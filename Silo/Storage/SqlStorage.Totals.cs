using System.Data.Common;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>The intervals into which a sum is divided. A week begins on Monday.</summary>
public enum TotalsBucket { Minute, Hour, Day, Week, Month, All }

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

/// <summary>Which events to sum up, and how to divide the sum.</summary>
/// <param name="From">UTC: the start of a bucket; of a minute with <see cref="TotalsBucket.All"/>.</param>
/// <param name="To">Likewise: the first moment that does not belong.</param>
/// <param name="Bucket">The intervals.</param>
public sealed record TotalsQuestion(DateTime From, DateTime To, TotalsBucket Bucket)
{
    public bool ByProduct { get; init; }
    public bool ByAction { get; init; }

    /// <summary>Counts only this product; null for all.</summary>
    public string? Product { get; init; }

    /// <summary>Counts only this action; null for all.</summary>
    public string? Action { get; init; }

    public TotalsOrder Order { get; init; }

    /// <summary>
    /// Whether each sum is of one product, so that a fingerprint is new in it when it is new to the product.
    /// </summary>
    public bool IsOfProducts => ByProduct || Product is not null;
}

/// <summary>One sum, of at least one event.</summary>
/// <param name="Time">UTC: the start of its bucket; of the question with <see cref="TotalsBucket.All"/>.</param>
/// <param name="Product">Null if the question does not ask by product.</param>
/// <param name="Action">Null if the question does not ask by action.</param>
/// <param name="Counts">The sum.</param>
public sealed record TotalsSum(DateTime Time, string? Product, string? Action, RollupCounts Counts);

/// <summary>Sums over all fingerprints, merged or not.</summary>
public abstract partial class SqlStorage
{
    private readonly string readTotals = scripts["read_totals"];
    private readonly string readFirstHour = scripts["read_first_hour"];

    /// <summary>
    /// The first sums of a question, in its order, as of one moment. Every event that was recorded before is in them
    /// once, even during a merge. The cost grows with the range's hours (its minutes with <see
    /// cref="TotalsBucket.Minute"/>) and its pairs of product and action, and not with the number of events.
    /// </summary>
    public async Task<IReadOnlyList<TotalsSum>> ReadTotals(TotalsQuestion question, int limit,
        CancellationToken cancellation)
    {
        var (hoursFrom, hoursTo) = WholeHours(question);
        return await Query(readTotals, row => ReadSum(question.Bucket, row),
        [
            Time("from", question.From), Time("to", question.To), Time("hours_from", hoursFrom),
            Time("hours_to", hoursTo),
            Parameter("bucket", question.Bucket.ToString().ToLowerInvariant()),
            Parameter("by_product", question.ByProduct), Parameter("by_action", question.ByAction),
            Optional("product", question.Product), Optional("action", question.Action),
            Parameter("order", (int)question.Order), Parameter("limit", limit),
        ], Open, cancellation);
    }

    /// <summary>UTC: the hour of the earliest event that counts; null if there is none.</summary>
    public async Task<DateTime?> ReadFirstHour(CancellationToken cancellation) =>
        (await Query(readFirstHour, row => row.IsDBNull(0) ? (DateTime?)null : ReadTime(row, 0), [], Open,
            cancellation))[0];

    // The part of the range that is read from the hours. If it has no whole hour, or minutes are asked for: an empty
    // range at the end.
    private (DateTime From, DateTime To) WholeHours(TotalsQuestion question)
    {
        var (from, to) = (Calendar.HourOf(question.From), Calendar.HourOf(question.To));
        if (from < question.From) from = from < to ? Calendar.NextHour(from) : question.To;
        return question.Bucket == TotalsBucket.Minute || from > to ? (question.To, question.To) : (from, to);
    }

    private TotalsSum ReadSum(TotalsBucket bucket, DbDataReader row) => new(
        bucket is TotalsBucket.Day or TotalsBucket.Week or TotalsBucket.Month
            ? Calendar.StartOf(DateOnly.FromDateTime(ReadTime(row, 0))) : ReadTime(row, 0),
        row.IsDBNull(1) ? null : row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2), ReadRollupCounts(row));
}
