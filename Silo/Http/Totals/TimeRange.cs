using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>The time range of a query.</summary>
internal sealed record TimeRange(DateTime From, DateTime To, Calendar Calendar)
{
    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

    public string TimeZone => Calendar.Name;

    /// <summary>
    /// Of an earlier range, to compare with: where it has what stands beside the start of a later one's bucket.
    /// </summary>
    public Func<DateTime, DateTime> Beside { get; init; } = start => start;

    /// <summary>Whether it is one whole day.</summary>
    public bool IsDay => From == Calendar.StartOf(Days.First) && To == Calendar.StartOf(Days.First.AddDays(1));

    /// <summary>Its days, if it was parsed with buckets of a day.</summary>
    public (DateOnly First, DateOnly End) Days => (Calendar.DayOf(From), Calendar.DayOf(To));

    public TotalsQuestion In(TotalsBucket bucket) => new(From, To, bucket);

    /// <summary>Whether it has more buckets than this.</summary>
    public bool HasMoreThan(int max, TotalsBucket bucket) => BucketStarts(bucket).Skip(max).Any();

    public IEnumerable<DateTime> BucketStarts(TotalsBucket bucket)
    {
        if (bucket == TotalsBucket.All) yield return From;
        else
            for (var start = From; start < To; start = NextOf(start, bucket, Calendar)) yield return start;
    }

    /// <summary>
    /// Parses <c>from</c> and <c>to</c>, each a time as in RFC 3339 or a date, which means the start of that day. Both
    /// must be the start of a bucket, for <see cref="TotalsBucket.All"/> of a minute: with rounding, the answer would
    /// be about another range.
    /// </summary>
    /// <param name="from">Null for <paramref name="usual"/> before the end.</param>
    /// <param name="to">Null for the end of the current bucket.</param>
    /// <param name="bucket">The range has whole buckets of this kind.</param>
    /// <param name="usual">The buckets of a range without <c>from</c>; for all, its days.</param>
    public static Refusal? Parse(string? from, string? to, TotalsBucket bucket, int usual, Calendar calendar,
        DateTime now, out TimeRange range)
    {
        range = new(now, now, calendar);
        if (QueryValue.ParseTime("from", from, calendar, now, out var first) is { } badFrom) return badFrom;
        var end = NextOf(StartOf(now, bucket, calendar), bucket, calendar); // now is included
        if (QueryValue.ParseTime("to", to, calendar, end, out var last) is { } badTo) return badTo;
        if (from is not null && CheckStart("from", first, bucket, calendar) is { } badStart) return badStart;
        if (to is not null && CheckStart("to", last, bucket, calendar) is { } badEnd) return badEnd;
        range = new(from is null ? Before(last, usual, bucket, calendar) : first, last, calendar);
        return range.From < range.To ? null : Refusal.EmptyRange();
    }

    /// <summary>Parses a range of whole days, not too many of them.</summary>
    /// <param name="usualDays">The range's length without <c>from</c>.</param>
    public static Refusal? ParseDays(string? from, string? to, int usualDays, Calendar calendar, Limits limits,
        DateTime now, out TimeRange range) =>
        Parse(from, to, TotalsBucket.Day, usualDays, calendar, now, out range) is { } refusal ? refusal
        : range.HasMoreThan(limits.UniquesDaysMax, TotalsBucket.Day) ? Refusal.TooManyDays(limits.UniquesDaysMax)
        : null;

    private static Refusal? CheckStart(string field, DateTime time, TotalsBucket bucket, Calendar calendar)
    {
        var start = StartOf(time, bucket, calendar);
        if (time == start) return null;
        var next = NextOf(start, bucket, calendar);
        var name = bucket == TotalsBucket.All ? "minute" : bucket.ToString().ToLowerInvariant();
        var nearest = next == start || time - start < next - time ? start : next;
        return Refusal.NotOnBucket(field, name, calendar.Name, nearest);
    }

    private static DateTime StartOf(DateTime time, TotalsBucket bucket, Calendar calendar)
    {
        if (bucket == TotalsBucket.Hour) return calendar.HourOf(time);
        if (bucket is TotalsBucket.Minute or TotalsBucket.All) return RollupKey.MinuteOf(time);
        return calendar.StartOf(FirstDay(calendar.DayOf(time), bucket));
    }

    // The same, if there is no time after it.
    private static DateTime NextOf(DateTime start, TotalsBucket bucket, Calendar calendar)
    {
        var left = DateTime.MaxValue - start;
        if (bucket is TotalsBucket.Minute or TotalsBucket.All)
            return left > TimeSpan.FromMinutes(1) ? start.AddMinutes(1) : start;
        if (bucket == TotalsBucket.Hour) return left > TimeSpan.FromHours(1) ? calendar.NextHour(start) : start;
        var day = FirstDay(calendar.DayOf(start), bucket);
        while (DateOnly.MaxValue.DayNumber - day.DayNumber >= DaysMax(bucket))
        {
            day = Add(day, 1, bucket);
            if (calendar.StartOf(day) is var next && next > start) return next; // else the zone skipped the day
        }
        return start;
    }

    private static DateTime Before(DateTime end, int buckets, TotalsBucket bucket, Calendar calendar)
    {
        var length = bucket switch
        {
            TotalsBucket.Minute => TimeSpan.FromMinutes(buckets),
            TotalsBucket.Hour => TimeSpan.FromHours(buckets),
            TotalsBucket.All => TimeSpan.FromDays(buckets),
            _ => TimeSpan.FromDays(DaysMax(bucket)) * buckets,
        };
        if (end - Earliest <= length) return Earliest;
        return bucket is TotalsBucket.Minute or TotalsBucket.Hour or TotalsBucket.All
            ? StartOf(end - length, bucket, calendar)
            : calendar.StartOf(Add(calendar.DayOf(end), -buckets, bucket));
    }

    private static int DaysMax(TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Week => 7,
        TotalsBucket.Month => 31,
        _ => 1,
    };

    /// <summary>The first day of the week or month, or the day itself.</summary>
    public static DateOnly FirstDay(DateOnly day, TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Week => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
        TotalsBucket.Month => day.AddDays(1 - day.Day),
        _ => day,
    };

    /// <summary>A day so many days, weeks or months later.</summary>
    public static DateOnly Add(DateOnly day, int buckets, TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Week => day.AddDays(7 * buckets),
        TotalsBucket.Month => day.AddMonths(buckets),
        _ => day.AddDays(buckets),
    };
}
