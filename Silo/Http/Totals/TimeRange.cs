using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>The time range of a query.</summary>
internal sealed record TimeRange(DateTime From, DateTime To)
{
    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    private TimeSpan Length => To - From;

    /// <summary>Whether it is one whole UTC day.</summary>
    public bool IsDay => Length == TimeSpan.FromDays(1) && From == From.Date;

    /// <summary>Its UTC days, if it was parsed with buckets of a day.</summary>
    public (DateOnly First, DateOnly End) Days => (DateOnly.FromDateTime(From), DateOnly.FromDateTime(To));

    public TotalsQuestion In(TotalsBucket bucket) => new(From, To, bucket);

    /// <summary>The number of its buckets.</summary>
    public long Count(TotalsBucket bucket) => bucket == TotalsBucket.All ? 1 : Length.Ticks / Step(bucket);

    public IEnumerable<DateTime> BucketStarts(TotalsBucket bucket) =>
        Enumerable.Range(0, (int)Count(bucket)).Select(i => From.AddTicks(i * Step(bucket)));

    /// <summary>
    /// Parses <c>from</c> and <c>to</c>, each a time as in RFC 3339 or a date, which means the start of that UTC day.
    /// Both must be the start of a bucket, for <see cref="TotalsBucket.All"/> of a minute: with rounding, the answer
    /// would be about another range.
    /// </summary>
    /// <param name="from">Null for <paramref name="usual"/> before the end.</param>
    /// <param name="to">Null for the end of the current bucket.</param>
    /// <param name="bucket">The range has whole buckets of this kind.</param>
    /// <param name="usual">The range's length without <c>from</c>; whole buckets.</param>
    public static Refusal? Parse(
        string? from, string? to, TotalsBucket bucket, TimeSpan usual, DateTime now, out TimeRange range)
    {
        range = new(now, now);
        var step = Step(bucket);
        if (QueryValue.ParseTime("from", from, DateTime.MinValue, out var first) is { } badFrom) return badFrom;
        var end = now.AddTicks(step - now.Ticks % step); // now is included
        if (QueryValue.ParseTime("to", to, end, out var last) is { } badTo) return badTo;
        if (first.Ticks % step != 0) return Refusal.NotOnBucket("from", Name(bucket), Nearest(first, step));
        if (last.Ticks % step != 0) return Refusal.NotOnBucket("to", Name(bucket), Nearest(last, step));
        if (from is null) first = last.Ticks > usual.Ticks ? last - usual : Earliest;
        range = new(DateTime.SpecifyKind(first, DateTimeKind.Utc), DateTime.SpecifyKind(last, DateTimeKind.Utc));
        return range.Length > TimeSpan.Zero ? null : Refusal.EmptyRange();
    }

    /// <summary>Parses a range of whole days, not too many of them.</summary>
    /// <param name="usualDays">The range's length without <c>from</c>.</param>
    public static Refusal? ParseDays(
        string? from, string? to, int usualDays, Limits limits, DateTime now, out TimeRange range) =>
        Parse(from, to, TotalsBucket.Day, TimeSpan.FromDays(usualDays), now, out range) is { } refusal ? refusal
        : range.Count(TotalsBucket.Day) > limits.UniquesDaysMax ? Refusal.TooManyDays(limits.UniquesDaysMax)
        : null;

    private static long Step(TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Hour => TimeSpan.TicksPerHour,
        TotalsBucket.Day => TimeSpan.TicksPerDay,
        _ => TimeSpan.TicksPerMinute,
    };

    private static string Name(TotalsBucket bucket) =>
        bucket == TotalsBucket.All ? "minute" : bucket.ToString().ToLowerInvariant();

    private static DateTime Nearest(DateTime time, long step)
    {
        var (before, into) = (time.AddTicks(-(time.Ticks % step)), time.Ticks % step);
        return into >= step / 2 && before < DateTime.MaxValue.AddTicks(-step) ? before.AddTicks(step) : before;
    }
}
