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

    internal static Compared Of(long events, long earlier) =>
        new(earlier, earlier == 0 ? null : (events - earlier) / (double)earlier);
}

/// <summary>The parameter compare.</summary>
internal static class Comparison
{
    public const string Description = " compare=previous adds the same counts of the range before, moved by whole "
        + "weeks so that it has the same weekdays; compare=year those of 52 weeks before.";

    private const int WeekDays = 7;
    private const int YearDays = 52 * WeekDays;

    /// <summary>Finds the earlier range; null if none is asked for.</summary>
    /// <returns>Why it is refused, or null.</returns>
    public static Refusal? Parse(string? compare, TimeRange range, out TimeRange? earlier)
    {
        earlier = null;
        if (compare is null) return null;
        if (compare is not ("previous" or "year")) return Refusal.UnknownValue("compare", "previous or year");
        var days = compare == "year" ? YearDays
            : (int)Math.Ceiling((range.To - range.From) / TimeSpan.FromDays(WeekDays)) * WeekDays;
        if (range.From - DateTime.MinValue < TimeSpan.FromDays(days)) return Refusal.NothingToCompare();
        earlier = new(range.From.AddDays(-days), range.To.AddDays(-days));
        return null;
    }

    public static ComparedRange? ToAnswer(this TimeRange? earlier) =>
        earlier is null ? null : new(earlier.From, earlier.To);
}
