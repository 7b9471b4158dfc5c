using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>A piece of time that a question is about.</summary>
/// <param name="From">UTC.</param>
/// <param name="To">UTC: the first moment after it.</param>
internal sealed record TimeRange(DateTime From, DateTime To)
{
    // Leaves a day above it, so that widening does not end beyond the calendar.
    private static readonly DateTime Last = DateTime.SpecifyKind(DateTime.MaxValue.Date, DateTimeKind.Utc);

    private TimeSpan Length => To - From;

    /// <summary>One whole day of UTC.</summary>
    public bool IsDay => Length == TimeSpan.FromDays(1) && From == From.Date;

    /// <summary>Its UTC days, where it was read in days.</summary>
    public (DateOnly First, DateOnly End) Days => (DateOnly.FromDateTime(From), DateOnly.FromDateTime(To));

    public TotalsQuestion In(TotalsBucket bucket) => new(From, To, bucket);

    /// <summary>How many buckets it has.</summary>
    public long Count(TotalsBucket bucket) => bucket == TotalsBucket.All ? 1 : Length.Ticks / Step(bucket);

    public IEnumerable<DateTime> Begins(TotalsBucket bucket) => Enumerable.Range(0, (int)Count(bucket)).Select(i => From.AddTicks(i * Step(bucket)));

    /// <summary>
    /// Reads <c>from</c> and <c>to</c>, each a time of RFC 3339 or a date, the begin of that UTC day; and widens them to whole
    /// buckets, those of <see cref="TotalsBucket.All"/> to whole minutes.
    /// </summary>
    /// <param name="from">Null for <paramref name="usual"/> before the end.</param>
    /// <param name="to">Null for the end of the bucket that is under way.</param>
    /// <param name="bucket">To which to widen.</param>
    /// <param name="usual">A whole number of buckets.</param>
    /// <param name="now">UTC.</param>
    /// <param name="range">What was read, where nothing is refused.</param>
    public static Refusal? Read(string? from, string? to, TotalsBucket bucket, TimeSpan usual, DateTime now, out TimeRange range)
    {
        range = new(now, now);
        var step = Step(bucket);
        var (first, last) = (DateTime.MinValue, now.AddTicks(1)); // now itself belongs to it
        if (from is not null && !Timestamp.TryParseTimeOrDay(from, out first)) return Refusal.InvalidTime("from");
        if (to is not null && !Timestamp.TryParseTimeOrDay(to, out last)) return Refusal.InvalidTime("to");
        if (from is not null && first >= last) return Refusal.EmptyRange();
        var end = Ceiling(last, step);
        range = new(from is not null ? Floor(first, step) : end.Ticks > usual.Ticks ? end - usual : DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc), end);
        return range.Length > TimeSpan.Zero ? null : Refusal.EmptyRange();
    }

    private static long Step(TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Hour => TimeSpan.TicksPerHour,
        TotalsBucket.Day => TimeSpan.TicksPerDay,
        _ => TimeSpan.TicksPerMinute,
    };

    private static DateTime Floor(DateTime time, long step) => time.AddTicks(-(time.Ticks % step));

    private static DateTime Ceiling(DateTime time, long step) => time >= Last ? Last : Floor(time.AddTicks(step - 1), step);
}
