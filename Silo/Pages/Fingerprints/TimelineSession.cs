using Tally.Silo.Http;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>A session on a page of the timeline.</summary>
/// <param name="Session">The whole session.</param>
/// <param name="Events">Those of its events that are on the page, newest first.</param>
/// <param name="Pause">The time without events of any product before it; null if there was none, or if it goes on with
/// the next page.</param>
public sealed record TimelineSession(Session Session, IReadOnlyList<LoggedEvent> Events, TimeSpan? Pause)
{
    /// <summary>Whether its newest events are not on the page.</summary>
    public bool HasNewer => Session.End > Events[0].Occurred;

    /// <summary>Divides events into the sessions that they belong to.</summary>
    /// <param name="events">Newest first.</param>
    /// <param name="sessions">All that began until the newest of these events.</param>
    public static IReadOnlyList<TimelineSession> Divide(
        IReadOnlyList<LoggedEvent> events, IReadOnlyList<Session> sessions)
    {
        var byProduct = sessions.ToLookup(session => session.Product);
        var divided = events
            .GroupBy(one => byProduct[one.Product].FirstOrDefault(session => session.Start <= one.Occurred))
            .Where(group => group.Key is not null) // else it was erased meanwhile
            .Select(group => new TimelineSession(group.Key!, [.. group], null)).ToList();
        var begun = DateTime.MaxValue;
        var seen = new HashSet<Session>();
        for (var i = 0; i < divided.Count; i++)
        {
            seen.Add(divided[i].Session);
            if (divided[i].Session.Start < begun) begun = divided[i].Session.Start;
            if (i == divided.Count - 1 && events[^1].Occurred > begun) break;
            var before = sessions.Where(session => session.Start < begun && !seen.Contains(session))
                .Select(session => session.End).DefaultIfEmpty(DateTime.MaxValue).Max();
            if (before < begun) divided[i] = divided[i] with { Pause = begun - before };
        }
        return divided;
    }
}
