using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>The earlier range that an answer is compared with.</summary>
/// <param name="From">UTC: its start.</param>
/// <param name="To">UTC: its end, which is not part of it.</param>
public sealed record ComparedRange(DateTime From, DateTime To)
{
    /// <summary>Of a breakdown: its events, as beside it.</summary>
    public long? Events { get; init; }
}

/// <summary>What a count was in the earlier range, and how it changed.</summary>
/// <param name="Events">Events.</param>
/// <param name="Change">
/// The change in events since then, as a fraction: 0.5 for half as many again. Absent if there were none.
/// </param>
public sealed record Compared(long Events, double? Change)
{
    /// <summary>As beside it, if it is there.</summary>
    public long? NewFingerprints { get; init; }

    /// <inheritdoc cref="NewFingerprints"/>
    public long? UniqueFingerprints { get; init; }

    /// <inheritdoc cref="NewFingerprints"/>
    public long? DailyFingerprints { get; init; }

    internal static Compared From(long events, long earlier) =>
        new(earlier, earlier == 0 ? null : (events - earlier) / (double)earlier);
}

/// <summary>The parameter compare.</summary>
internal static class Comparison
{
    public const string Description = " compare=previous adds the same counts of the range before, moved by whole "
        + "weeks so that it has the same weekdays; compare=year those of 52 weeks before. Months have as many months "
        + "before, or 12, beside them.";

    private const int WeekDays = 7;
    private const int YearDays = 52 * WeekDays;
    private const int YearMonths = 12;

    /// <summary>Finds the earlier range; null if none is asked for.</summary>
    /// <returns>Why it is refused, or null.</returns>
    public static Refusal? Parse(string? compare, TimeRange range, TotalsBucket bucket, out TimeRange? earlier)
    {
        earlier = null;
        if (compare is null) return null;
        if (compare is not ("previous" or "year")) return Refusal.UnknownValue("compare", "previous or year");
        Func<DateTime, DateTime>? before =
            bucket == TotalsBucket.Month ? MonthsBefore(range, compare) : DaysBefore(range, compare, bucket);
        if (before is null) return Refusal.NothingToCompare();
        var (from, to) = (before(range.From), before(range.To));
        // Within an hour that comes twice, the clocks may show an earlier time at the end.
        earlier = new(from, from < to ? to : from + (range.To - range.From), range.Calendar) { Beside = before };
        return null;
    }

    // The same time on the zone's clocks, on another day. The earlier range ends where this one begins, or before.
    private static Func<DateTime, DateTime>? DaysBefore(TimeRange range, string compare, TotalsBucket bucket)
    {
        var calendar = range.Calendar;
        var weeks = (int)((range.To - range.From) / TimeSpan.FromDays(WeekDays));
        var days = compare == "year" ? YearDays : Math.Max(1, weeks) * WeekDays;
        if (range.Days.First.DayNumber < days) return null;
        if (compare == "previous" && calendar.DaysBefore(range.To, days) > range.From) days += WeekDays;
        if (range.Days.First.DayNumber < days) return null;
        return bucket == TotalsBucket.Hour ? time => calendar.HourOf(calendar.DaysBefore(time, days))
            : time => calendar.DaysBefore(time, days);
    }

    private static Func<DateTime, DateTime>? MonthsBefore(TimeRange range, string compare)
    {
        var (first, end) = range.Days;
        var months = compare == "year" ? YearMonths : MonthOf(end) - MonthOf(first);
        return MonthOf(first) - MonthOf(DateOnly.MinValue) < months ? null
            : time => range.Calendar.StartOf(range.Calendar.DayOf(time).AddMonths(-months));
    }

    private static int MonthOf(DateOnly day) => day.Year * YearMonths + day.Month;

    public static ComparedRange? ToAnswer(this TimeRange? earlier) =>
        earlier is null ? null : new(earlier.From, earlier.To);
}
