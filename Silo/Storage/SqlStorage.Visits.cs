using System.Data.Common;
using Tally.Contracts;

namespace Tally.Silo.Storage;

/// <summary>
/// The order in which fingerprints are listed. Equal ones follow in the order of their UTF-8 bytes, ascending or
/// descending.
/// </summary>
public enum FingerprintOrder : byte
{
    /// <summary>The most recently seen first.</summary>
    Recent = 1,
    /// <summary>The earliest first seen first.</summary>
    First = 2,
    /// <summary>The most events first.</summary>
    Total = 3,
}

/// <summary>A place in a list, after which the next page begins.</summary>
/// <param name="Order">The list's order.</param>
/// <param name="Value">What the list is ordered by: UTC ticks, or events.</param>
/// <param name="Fingerprint">The last fingerprint before the place.</param>
public sealed record FingerprintPlace(FingerprintOrder Order, long Value, string Fingerprint)
{
    /// <summary>Before all.</summary>
    public static FingerprintPlace Begin(FingerprintOrder order) => new(order, order switch
    {
        FingerprintOrder.Recent => DateTime.MaxValue.Ticks,
        FingerprintOrder.First => DateTime.MinValue.Ticks,
        _ => long.MaxValue,
    }, "");
}

/// <summary>What a fingerprint did with the product in question, or with all.</summary>
/// <param name="Fingerprint">As its client wrote it.</param>
/// <param name="Total">Events.</param>
/// <param name="FirstSeen">UTC: the earliest <see cref="Event.Occurred"/>.</param>
/// <param name="LastSeen">UTC: the latest <see cref="Event.Occurred"/>.</param>
public sealed record FingerprintSummary(string Fingerprint, long Total, DateTime FirstSeen, DateTime LastSeen);

/// <param name="Product">A product that was used.</param>
/// <param name="Events">Its events.</param>
/// <param name="UniqueFingerprints">The number of different fingerprints that used it.</param>
public sealed record ProductUniques(string Product, long Events, long UniqueFingerprints);

/// <param name="Cohort">The period in which they were seen first.</param>
/// <param name="Period">A period in which they came: the same one or a later one.</param>
/// <param name="Fingerprints">The number of different fingerprints.</param>
public sealed record Returned(int Cohort, int Period, long Fingerprints);

/// <summary>
/// Visits: which fingerprint used which product on which day. Questions see only what is merged, so merge first to see
/// every recorded event. Their cost grows with the visits that they read, not with events.
/// </summary>
public abstract partial class SqlStorage
{
    private readonly string readVisitDeltas = scripts["read_visit_deltas"];
    private readonly string listRecent = scripts["list_recent"];
    private readonly string listFirst = scripts["list_first"];
    private readonly string listTotal = scripts["list_total"];
    private readonly string topFingerprints = scripts["top_fingerprints"];
    private readonly string countUniques = scripts["count_uniques"];
    private readonly string topUniques = scripts["top_uniques"];
    private readonly string readActivity = scripts["read_activity"];
    private readonly string countPresent = scripts["count_present"];
    private readonly string readRetention = scripts["read_retention"];

    /// <summary>The numbers of the oldest and the newest delta that is not merged; null if there is none.</summary>
    public Task<(long Oldest, long Newest)?> ReadVisitDeltas() => ReadDeltas(readVisitDeltas);

    private async Task<(long Oldest, long Newest)?> ReadDeltas(string script) =>
        (await Query(script, row => row.IsDBNull(0) ? ((long, long)?)null : (row.GetInt64(0), row.GetInt64(1))))[0];

    /// <summary>At most <paramref name="limit"/> fingerprints after a place, in its order.</summary>
    public async Task<IReadOnlyList<FingerprintSummary>> ListFingerprints(
        FingerprintPlace after, string? product, int limit, CancellationToken cancellation) =>
        await Scan(after.Order switch
        {
            FingerprintOrder.Recent => listRecent,
            FingerprintOrder.First => listFirst,
            FingerprintOrder.Total => listTotal,
            _ => throw new ArgumentOutOfRangeException(nameof(after)),
        }, ReadSummary, cancellation,
            after.Order == FingerprintOrder.Total
                ? Parameter("after", after.Value) : Time("after", new DateTime(after.Value, DateTimeKind.Utc)),
            Parameter("after_fingerprint", after.Fingerprint), Optional("product", product), Parameter("limit", limit));

    /// <summary>
    /// The fingerprints with the most events from one day until before another. Equal ones come in the order of
    /// their bytes.
    /// </summary>
    public async Task<IReadOnlyList<FingerprintSummary>> TopFingerprints(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation) =>
        await Scan(topFingerprints, ReadSummary, cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product), Parameter("limit", limit));

    /// <summary>The events of such days, and the number of different fingerprints in them.</summary>
    public async Task<(long Events, long UniqueFingerprints)> CountUniques(
        DateOnly from, DateOnly to, string? product, CancellationToken cancellation) =>
        (await Scan(countUniques, row => (row.GetInt64(0), row.GetInt64(1)), cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product)))[0];

    /// <summary>How many different fingerprints have an event since a time. Reads the visits since that day.</summary>
    public async Task<long> CountPresent(DateTime since, string? product, CancellationToken cancellation) =>
        (await Scan(countPresent, row => row.GetInt64(0), cancellation, Parameter("from", Calendar.DayOf(since)),
            Time("since", since), Optional("product", product)))[0];

    /// <summary>
    /// The same for each product, those with the most fingerprints first. Equal ones come in the order of their bytes.
    /// </summary>
    public async Task<IReadOnlyList<ProductUniques>> TopUniques(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation) =>
        await Scan(topUniques,
            row => new ProductUniques(row.GetString(0), row.GetInt64(1), row.GetInt64(2)), cancellation,
            Parameter("from", from), Parameter("to", to), Optional("product", product), Parameter("limit", limit));

    /// <summary>
    /// Of the fingerprints that were first seen in each period, how many came in which. All visits are read, to know
    /// who was seen before.
    /// </summary>
    /// <param name="days">Days without a gap, each with its period's number.</param>
    public async Task<IReadOnlyList<Returned>> ReadRetention(
        IReadOnlyList<(DateOnly Day, int Period)> days, string? product, CancellationToken cancellation) =>
        await Scan(readRetention,
            row => new Returned((int)row.GetInt64(0), (int)row.GetInt64(1), row.GetInt64(2)), cancellation,
            Parameter("from", days[0].Day), Days("days", days.Select(one => one.Day)),
            Numbers("numbers", days.Select(one => (long)one.Period)), Optional("product", product));

    /// <summary>The events of a fingerprint by day, without days that have none.</summary>
    /// <param name="products">All that it used.</param>
    public async Task<IReadOnlyList<DayView>> ReadActivity(string fingerprint, IEnumerable<string> products,
        IEnumerable<DateOnly> days, CancellationToken cancellation) =>
        await Scan(readActivity, row => new DayView(row.GetFieldValue<DateOnly>(0), row.GetInt64(1)), cancellation,
            Parameter("fingerprint", fingerprint), Texts("products", products), Days("days", days));

    /// <summary>A connection for a question that scans much. Events never wait for it.</summary>
    protected abstract ValueTask<DbConnection> OpenForQuestion(CancellationToken cancellation);

    private Task<List<T>> Scan<T>(
        string sql, Func<DbDataReader, T> map, CancellationToken cancellation, params DbParameter[] parameters) =>
        Query(sql, map, parameters, OpenForQuestion, cancellation);

    private FingerprintSummary ReadSummary(DbDataReader row) =>
        new(row.GetString(0), row.GetInt64(1), ReadTime(row, 2), ReadTime(row, 3));
}
