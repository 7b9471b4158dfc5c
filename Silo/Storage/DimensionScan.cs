using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>Counts events of the log by the values of one property, if they have a value of another.</summary>
/// <param name="dimension">What they are counted by.</param>
/// <param name="filter">What they must have.</param>
/// <param name="calendar">Says the day of an event.</param>
/// <param name="valuesMax">Values that are told apart. Others count as the empty one.</param>
internal sealed class DimensionScan(string dimension, DimensionValue filter, Calendar calendar, int valuesMax)
{
    private readonly Dictionary<string, DimensionCounts> sums = [];
    private readonly HashSet<(DateOnly Day, string Product, string Value)> ofFingerprint = [];
    private readonly List<DimensionValue> values = [];
    private string? fingerprint;
    private long events;

    /// <summary>The next event, by fingerprint.</summary>
    public void Add(string of, DateTime occurred, string product, string? properties, DimensionSet counted)
    {
        counted.Collect(properties, values);
        if (!values.Contains(filter) || values.Find(one => one.Dimension == dimension).Value is not { } value) return;
        if (of != fingerprint) ofFingerprint.Clear();
        fingerprint = of;
        if (!sums.ContainsKey(value) && sums.Count >= valuesMax) value = "";
        var isFirst = ofFingerprint.Add((calendar.DayOf(occurred), product, value));
        sums[value] = sums.GetValueOrDefault(value) + new DimensionCounts(1, isFirst ? 1 : 0);
        events++;
    }

    /// <summary>As <see cref="SqlStorage.ReadDimensionSums"/> of a question by value.</summary>
    public IReadOnlyList<DimensionSum> ToSums(int limit) =>
    [
        .. sums.OrderByDescending(sum => sum.Key.Length == 0).ThenByDescending(sum => sum.Value.Events)
            .ThenBy(sum => sum.Key, StringComparer.Ordinal).Take(limit)
            .Select(sum => new DimensionSum(null, null, sum.Key, sum.Value, events)),
    ];
}
