using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Sessions;

/// <summary>Sessions of one fingerprint: what it did without a pause over 30 minutes.</summary>
/// <param name="Fingerprint">The fingerprint.</param>
/// <param name="Sessions">The newest first, at most as many as asked for.</param>
public sealed record FingerprintSessions(string Fingerprint, IReadOnlyList<Session> Sessions);

/// <summary>The sessions that began in a range.</summary>
/// <param name="From">UTC: the start of the range.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Sessions">Sessions.</param>
/// <param name="Events">Their events.</param>
/// <param name="MedianSeconds">The median of the times from their first event to their last; absent if there are none.
/// </param>
/// <param name="EventsPerSession">Events of a session on average; absent if there are none.</param>
/// <param name="BounceShare">The share of those of one event, up to 1; absent if there are none.</param>
/// <param name="EntryPages">The paths where most began.</param>
/// <param name="ExitPages">The paths where most ended.</param>
public sealed record SessionsAnswer(
    DateTime From, DateTime To, string TimeZone, long Sessions, long Events, double? MedianSeconds,
    double? EventsPerSession, double? BounceShare, IReadOnlyList<SessionPage> EntryPages,
    IReadOnlyList<SessionPage> ExitPages)
{
    internal static SessionsAnswer Create(TimeRange range, SessionTotals totals) => new(
        range.From, range.To, range.TimeZone, totals.Sessions, totals.Events, totals.MedianLength?.TotalSeconds,
        totals.Sessions == 0 ? null : (double)totals.Events / totals.Sessions,
        totals.Sessions == 0 ? null : (double)totals.Bounces / totals.Sessions,
        [.. totals.EntryPages.Select(SessionPage.From)], [.. totals.ExitPages.Select(SessionPage.From)]);
}

/// <param name="Path">The path; absent for all others.</param>
/// <param name="Sessions">Sessions that began or ended there.</param>
/// <param name="Other">True for all paths together that came after the limit was reached.</param>
public sealed record SessionPage(string? Path, long Sessions, bool? Other)
{
    internal static SessionPage From(KeyValuePair<string, long> page) =>
        page.Key.Length > 0 ? new(page.Key, page.Value, null) : new(null, page.Value, true);
}
