using Tally.Silo.Http.Totals;

namespace Tally.Silo.Http.Breakdowns;

/// <summary>Events by the values of one of their properties.</summary>
/// <param name="By">The dimension.</param>
/// <param name="From">UTC: the start of the first day.</param>
/// <param name="To">UTC: the end of the last day.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Events">Events that have a value, also those whose value is not listed.</param>
/// <param name="Values">The values with the most events, at most as many as asked for.</param>
/// <param name="Other">Values that came after a day's limit was reached, together; absent if there are none.</param>
public sealed record BreakdownAnswer(
    string By, DateTime From, DateTime To, string TimeZone, long Events, IReadOnlyList<BreakdownEntry> Values,
    BreakdownEntry? Other)
{
    /// <summary>With compare, the earlier range.</summary>
    public ComparedRange? Compared { get; init; }
}

/// <param name="Value">The value; absent for all others.</param>
/// <param name="Events">Events.</param>
/// <param name="DailyFingerprints">
/// Different fingerprints of each day and product, added up: for one day of one product, different fingerprints.
/// </param>
public sealed record BreakdownEntry(string? Value, long Events, long DailyFingerprints)
{
    /// <summary>With compare, the same of the earlier range.</summary>
    public Compared? Compared { get; init; }
}
