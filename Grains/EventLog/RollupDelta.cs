namespace Tally.Grains.EventLog;

/// <summary>
/// The key of a rollup: a UTC minute of <see cref="Contracts.Event.Occurred"/>, a product and an action.
/// </summary>
public readonly record struct RollupKey(DateTime Minute, string Product, string Action)
{
    public static RollupKey From(RecordedEvent recorded)
    {
        var e = recorded.Event;
        return new(MinuteOf(e.Occurred), e.Product, e.Action);
    }

    /// <summary>The start of the minute, which is the same in every zone.</summary>
    public static DateTime MinuteOf(DateTime utc) => utc.AddTicks(-(utc.Ticks % TimeSpan.TicksPerMinute));

    /// <summary>The key of the same in rollups by the hour.</summary>
    public RollupKey OfHour(Calendar calendar) => this with { Minute = calendar.HourOf(Minute) };
}

/// <summary>What events add to a rollup. Deltas of one key add up in any order.</summary>
/// <param name="Events">Events.</param>
/// <param name="NewFingerprints">Fingerprints whose first event ever is among them.</param>
/// <param name="NewProductFingerprints">Fingerprints whose first event ever of this product is among them.</param>
/// <param name="DailyFingerprints">Fingerprints whose first event of the day is among them.</param>
/// <param name="DailyProductFingerprints">Fingerprints whose first event of this product on the day is among
/// them.</param>
public readonly record struct RollupCounts(
    long Events, long NewFingerprints, long NewProductFingerprints, long DailyFingerprints,
    long DailyProductFingerprints)
{
    public static RollupCounts From(EventFirsts firsts) => new(1,
        (firsts & EventFirsts.OfFingerprint) != 0 ? 1 : 0,
        (firsts & EventFirsts.OfProduct) != 0 ? 1 : 0,
        (firsts & EventFirsts.OfDay) != 0 ? 1 : 0,
        (firsts & EventFirsts.OfProductDay) != 0 ? 1 : 0);

    public static RollupCounts operator +(RollupCounts a, RollupCounts b) => new(
        a.Events + b.Events,
        a.NewFingerprints + b.NewFingerprints,
        a.NewProductFingerprints + b.NewProductFingerprints,
        a.DailyFingerprints + b.DailyFingerprints,
        a.DailyProductFingerprints + b.DailyProductFingerprints);
}

/// <summary>Adds up what a set of events gives each rollup.</summary>
public sealed class RollupDeltas : Dictionary<RollupKey, RollupCounts>
{
    public void Add(DecidedEvent decided) => AddCounts(RollupKey.From(decided), RollupCounts.From(decided.Firsts));

    public void AddCounts(RollupKey key, RollupCounts counts) => this[key] = GetValueOrDefault(key) + counts;

    /// <summary>The same counts by the hour.</summary>
    public RollupDeltas ByHour(Calendar calendar)
    {
        var hours = new RollupDeltas();
        foreach (var (key, counts) in this) hours.AddCounts(key.OfHour(calendar), counts);
        return hours;
    }

    private RollupCounts GetValueOrDefault(RollupKey key) => TryGetValue(key, out var counts) ? counts : default;
}
