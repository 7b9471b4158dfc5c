using System.Data.Common;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Silo.Storage;

/// <summary>Which values to sum up, and how to divide the sum.</summary>
/// <param name="Dimension">The property's name.</param>
/// <param name="From">The first day.</param>
/// <param name="To">The first day that does not belong.</param>
public sealed record DimensionQuestion(string Dimension, DateOnly From, DateOnly To)
{
    /// <summary>Counts only this product; null for all.</summary>
    public string? Product { get; init; }

    /// <summary>Counts only this value; null for all.</summary>
    public string? Value { get; init; }

    /// <summary>Sums come by day, product and value. Otherwise the largest come first.</summary>
    public bool ByDay { get; init; }

    public bool ByProduct { get; init; }
    public bool ByValue { get; init; }
}

/// <summary>One sum, of at least one event.</summary>
/// <param name="Day">Null if the question does not ask by day.</param>
/// <param name="Product">Null if the question does not ask by product.</param>
/// <param name="Value">Null if the question does not ask by value. Empty for all values beyond a day's limit, which
/// come first.</param>
/// <param name="Counts">The sum; fingerprints are those of each day and product, added up.</param>
/// <param name="EventsOfAll">Events of all sums of the question, also of those beyond the answer's limit.</param>
public sealed record DimensionSum(
    DateOnly? Day, string? Product, string? Value, DimensionCounts Counts, long EventsOfAll);

/// <summary>Counts by the values of events' properties.</summary>
public abstract partial class SqlStorage
{
    // Rows in one statement.
    private const int RemovedMax = 1_000;

    private readonly string readDimensionSets = scripts["read_dimension_sets"];
    private readonly string addDimensionSet = scripts["add_dimension_set"];
    private readonly string readDimensionSums = scripts["read_dimension_sums"];
    private readonly string scanDimensions = scripts["scan_dimensions"];
    private readonly string mergeDimensions = scripts["merge_dimensions"];
    private readonly string readNewestProperties = scripts["read_newest_properties"];
    private readonly string readDimensionDeltas = scripts["read_dimension_deltas"];
    private readonly string addRemovedDimensions = scripts["add_removed_dimensions"];
    private readonly KnownDimensionVisits knownVisits = new();
    private int valuesMax = int.MaxValue;

    /// <summary>What the events that are recorded here are counted by.</summary>
    public DimensionSet Counted { get; private set; } = DimensionSet.None;

    /// <summary>From now on, events are counted by these of their properties.</summary>
    /// <param name="names">Names of properties, without commas.</param>
    /// <param name="dailyValuesMax">Values of a dimension and product on a day.</param>
    public async Task CountBy(IEnumerable<string> names, int dailyValuesMax)
    {
        valuesMax = dailyValuesMax;
        var text = string.Join(',', names.Order(StringComparer.Ordinal));
        if (text.Length == 0) return;
        await Query(addDimensionSet, _ => 0, Parameter("names", text));
        Counted = (await ReadDimensionSets()).Values.Single(set => string.Join(',', set.Names) == text);
    }

    private async Task<Dictionary<int, DimensionSet>> ReadDimensionSets() =>
        (await Query(readDimensionSets, row => new DimensionSet(row.GetInt16(0), row.GetString(1).Split(','))))
            .ToDictionary(set => set.Id);

    /// <summary>
    /// The first sums of a question, in its order. It sees only what is merged. The cost grows with the values of the
    /// days in question, and not with events.
    /// </summary>
    public async Task<IReadOnlyList<DimensionSum>> ReadDimensionSums(
        DimensionQuestion question, int limit, CancellationToken cancellation) =>
        await Scan(readDimensionSums, ReadDimensionSum, cancellation, DimensionParameters(question, limit));

    /// <summary>The first sum of a question, and those of the same products and values as some others.</summary>
    public async Task<IReadOnlyList<DimensionSum>> ReadSameDimensionSums(
        DimensionQuestion question, IReadOnlyList<DimensionSum> others, CancellationToken cancellation)
    {
        var wanted = others.Select(sum => (sum.Product, sum.Value)).ToHashSet();
        var found = new List<DimensionSum>();
        await ScanRows(readDimensionSums, row =>
        {
            var sum = ReadDimensionSum(row);
            if (found.Count == 0 || wanted.Contains((sum.Product, sum.Value))) found.Add(sum);
            return true;
        }, cancellation, DimensionParameters(question, int.MaxValue));
        return found;
    }

    private DbParameter[] DimensionParameters(DimensionQuestion question, int limit) =>
    [
        Parameter("dimension", question.Dimension), Parameter("from", question.From), Parameter("to", question.To),
        Optional("product", question.Product), Optional("value", question.Value),
        Parameter("by_day", question.ByDay), Parameter("by_product", question.ByProduct),
        Parameter("by_value", question.ByValue), Parameter("limit", limit),
    ];

    /// <summary>
    /// The same for a question by value about events that have a value of another dimension. It reads the log: pruned
    /// events and erased fingerprints are not in it, and the cost grows with the log.
    /// </summary>
    public async Task<IReadOnlyList<DimensionSum>> ScanDimensions(
        DimensionQuestion question, DimensionValue filter, int limit, CancellationToken cancellation)
    {
        var scan = new DimensionScan(question.Dimension, filter, Calendar, valuesMax);
        var sets = await ReadDimensionSets();
        await ScanRows(scanDimensions, row =>
        {
            scan.Add(row.GetString(0), ReadTime(row, 1), row.GetString(2), row.GetString(3), sets[row.GetInt16(4)]);
            return true;
        }, cancellation, Time("from", Calendar.StartOf(question.From)), Time("to", Calendar.StartOf(question.To)),
            Optional("product", question.Product));
        return scan.ToSums(limit);
    }

    /// <summary>
    /// The newest value of each property that is counted here, by when it happened, among the events that a fingerprint
    /// recorded last.
    /// </summary>
    public async Task<IReadOnlyDictionary<string, string>> ReadNewestValues(
        string fingerprint, int eventsMax, CancellationToken cancellation)
    {
        var newest = await Query(readNewestProperties, row =>
        {
            var values = new List<DimensionValue>();
            Counted.Collect(row.IsDBNull(1) ? null : row.GetString(1), values);
            return (Occurred: ReadTime(row, 0), Values: values);
        }, [Parameter("fingerprint", fingerprint), Parameter("limit", eventsMax)], Open, cancellation);
        return newest.OrderByDescending(one => one.Occurred).SelectMany(one => one.Values)
            .DistinctBy(value => value.Dimension).ToDictionary(value => value.Dimension, value => value.Value);
    }

    private static DimensionSum ReadDimensionSum(DbDataReader row) => new(
        row.IsDBNull(0) ? null : row.GetFieldValue<DateOnly>(0), row.IsDBNull(1) ? null : row.GetString(1),
        row.IsDBNull(2) ? null : row.GetString(2), new(row.GetInt64(3), row.GetInt64(4)), row.GetInt64(5));

    /// <summary>The same for up to <paramref name="limit"/> commits' dimensions.</summary>
    /// <inheritdoc cref="MergeRollups"/>
    public async Task<int> MergeDimensions(int limit) => (int)await Merge(mergeDimensions, MergeParameters(limit));

    /// <inheritdoc cref="ReadVisitDeltas"/>
    public Task<(long Oldest, long Newest)?> ReadDimensionDeltas() => ReadDeltas(readDimensionDeltas);

    private DbParameter[] MergeParameters(int limit) =>
        [Parameter("limit", limit), Parameter("values_max", valuesMax)];

    /// <summary>What a batch adds to the dimensions; null for nothing.</summary>
    /// <param name="begun">For <see cref="NoteCommitted"/>.</param>
    protected DimensionDelta? DimensionsOf(
        IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, out int begun)
    {
        begun = 0;
        if (Counted.Id == 0) return null;
        begun = knownVisits.Begin(starts.Max(start => start.RemovalEpoch));
        return DimensionDelta.From(events, Counted, Calendar, knownVisits);
    }

    protected void NoteCommitted(DimensionDelta? dimensions, int begun)
    {
        if (dimensions is not null) knownVisits.Add(dimensions.Visits, begun);
    }

    // Only a merge can tell which values the days have, so all deltas are merged first.
    private async Task AddRemoved(DbTransaction at, RemovedDimensions removed)
    {
        if (removed.Count == 0) return;
        await LockMerge(at);
        await Execute(at, mergeDimensions, MergeParameters(int.MaxValue));
        foreach (var some in removed.Chunk(RemovedMax))
            await Execute(at, addRemovedDimensions,
                Days("days", some.Select(one => one.Key.Day)), Texts("products", some.Select(one => one.Key.Product)),
                Texts("dimensions", some.Select(one => one.Key.Dimension)),
                Texts("values", some.Select(one => one.Key.Value)), Numbers("events", some.Select(one => one.Value)));
    }

    private LogRow ReadLogRow(DbDataReader row, Dictionary<int, DimensionSet> sets, RuleBook book) =>
        new(ReadEvent(row) with { Marks = ReadMarks(row, 9, book) },
            row.IsDBNull(8) ? DimensionSet.None : sets[row.GetInt16(8)]);
}
