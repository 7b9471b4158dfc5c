using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>What is counted in dimensions: a value on a day of a product.</summary>
/// <param name="Value">Empty for all values beyond the limit.</param>
public readonly record struct DimensionKey(DateOnly Day, string Product, string Dimension, string Value)
{
    public static DimensionKey From(Event e, DimensionValue value, Calendar calendar) =>
        new(calendar.DayOf(e.Occurred), e.Product, value.Dimension, value.Value);
}

/// <param name="Events">Events.</param>
/// <param name="Fingerprints">Different fingerprints.</param>
public readonly record struct DimensionCounts(long Events, long Fingerprints)
{
    public static DimensionCounts operator +(DimensionCounts a, DimensionCounts b) =>
        new(a.Events + b.Events, a.Fingerprints + b.Fingerprints);
}

/// <summary>A fingerprint that has a value.</summary>
/// <param name="Key">As counted, or, if it is not merged, as in the event.</param>
/// <param name="Fingerprint">Which.</param>
/// <param name="IsMerged">Whether the value's counts have it.</param>
public sealed record DimensionVisit(DimensionKey Key, string Fingerprint, bool IsMerged);

/// <summary>Adds up what events that leave the log gave each value.</summary>
public sealed class RemovedDimensions(Calendar calendar) : Dictionary<DimensionKey, long>
{
    private readonly List<DimensionValue> values = [];

    public void Add(LogRow logged)
    {
        logged.Dimensions.Collect(logged.Recorded.Event.Properties, values);
        foreach (var value in values)
        {
            var key = DimensionKey.From(logged.Recorded.Event, value, calendar);
            this[key] = TryGetValue(key, out var events) ? events + 1 : 1;
        }
    }
}
