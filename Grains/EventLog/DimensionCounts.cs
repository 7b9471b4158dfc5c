namespace Tally.Grains.EventLog;

/// <summary>What is counted in dimensions: a value on a UTC day of a product.</summary>
/// <param name="Value">Empty for all values beyond the limit.</param>
public readonly record struct DimensionKey(DateOnly Day, string Product, string Dimension, string Value);

/// <param name="Events">Events.</param>
/// <param name="Fingerprints">Different fingerprints.</param>
public readonly record struct DimensionCounts(long Events, long Fingerprints)
{
    public static DimensionCounts operator +(DimensionCounts a, DimensionCounts b) =>
        new(a.Events + b.Events, a.Fingerprints + b.Fingerprints);
}

/// <summary>What a fingerprint gives a value.</summary>
/// <param name="Key">As counted, or, if it is not merged, as in the event.</param>
/// <param name="Fingerprint">Whose events they are.</param>
/// <param name="Events">Events.</param>
/// <param name="IsMerged">Whether the value's counts have it.</param>
public sealed record DimensionVisit(DimensionKey Key, string Fingerprint, long Events, bool IsMerged);
