using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>A piece of time that a question is about.</summary>
/// <param name="From">UTC.</param>
/// <param name="To">UTC: the first moment after it.</param>
internal sealed record TimeRange(DateTime From, DateTime To)
{
    private static readonly DateTime Earliest = DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc);

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
    /// Reads <c>from</c> and <c>to</c>, each a time of RFC 3339 or a date, the start of that UTC day. Both must be the start of a
    /// bucket, of <see cref="TotalsBucket.All"/> that of a minute: rounded, the answer would be about another range.
    /// </summary>
    /// <param name="from">Null for <paramref name="usual"/> before the end.</param>
    /// <param name="to">Null for the end of the bucket that is under way.</param>
    /// <param name="bucket">Of which it is to have whole ones.</param>
    /// <param name="usual">A whole number of buckets.</param>
    /// <param name="now">UTC.</param>
    /// <param name="range">What was read, where nothing is refused.</param>
    public static Refusal? Read(string? from, string? to, TotalsBucket bucket, TimeSpan usual, DateTime now, out TimeRange range)
    {
        range = new(now, now);
        var step = Step(bucket);
        var (first, last) = (DateTime.MinValue, now.AddTicks(step - now.Ticks % step)); // now itself belongs to it
        if (from is not null && !Timestamp.TryParseTimeOrDay(from, out first)) return Refusal.InvalidTime("from");
        if (to is not null && !Timestamp.TryParseTimeOrDay(to, out last)) return Refusal.InvalidTime("to");
        if (first.Ticks % step != 0) return Refusal.NotOnBucket("from", Name(bucket), Nearest(first, step));
        if (last.Ticks % step != 0) return Refusal.NotOnBucket("to", Name(bucket), Nearest(last, step));
        if (from is null) first = last.Ticks > usual.Ticks ? last - usual : Earliest;
        range = new(DateTime.SpecifyKind(first, DateTimeKind.Utc), DateTime.SpecifyKind(last, DateTimeKind.Utc));
        return range.Length > TimeSpan.Zero ? null : Refusal.EmptyRange();
    }

    private static long Step(TotalsBucket bucket) => bucket switch
    {
        TotalsBucket.Hour => TimeSpan.TicksPerHour,
        TotalsBucket.Day => TimeSpan.TicksPerDay,
        _ => TimeSpan.TicksPerMinute,
    };

    private static string Name(TotalsBucket bucket) => bucket == TotalsBucket.All ? "minute" : bucket.ToString().ToLowerInvariant();

    private static DateTime Nearest(DateTime time, long step)
    {
        var (before, into) = (time.AddTicks(-(time.Ticks % step)), time.Ticks % step);
        return into >= step / 2 && before < DateTime.MaxValue.AddTicks(-step) ? before.AddTicks(step) : before;
    }
}
