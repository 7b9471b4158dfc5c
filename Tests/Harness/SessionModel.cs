namespace Tally.Tests.Harness;

/// <summary>Sessions found by splitting whole histories wherever there is a pause.</summary>
internal static class SessionModel
{
    private static readonly TimeSpan PauseMax = TimeSpan.FromMinutes(30), Overtime = TimeSpan.FromDays(1);

    /// <summary>Draws an event at a time that is often one pause away from others, or a moment less or more.</summary>
    public static FunnelEvent Draw(Random random, int number, DateTime day) =>
        FunnelEvent.Draw(random, number, day) with
        {
            Fingerprint = $"visitor-{random.Next(4)}",
            Occurred = day.AddDays(random.Next(-1, 2)).AddMinutes(random.Next(-4, 5) * 15)
                .AddTicks(10 * random.Next(-1, 2)),
        };

    /// <summary>The events of each session that begins in the range, as far as they count.</summary>
    public static List<List<FunnelEvent>> Of(
        IEnumerable<FunnelEvent> events, string? product, DateTime from, DateTime to)
    {
        var sessions = new List<List<FunnelEvent>>();
        foreach (var history in events.Where(one => (product ?? one.Product) == one.Product)
            .GroupBy(one => (one.Fingerprint, one.Product)))
        {
            List<FunnelEvent> session = [];
            foreach (var one in history.OrderBy(one => one.Occurred).ThenBy(one => one.Number))
            {
                if (session.Count == 0 || one.Occurred - session[^1].Occurred > PauseMax) sessions.Add(session = []);
                session.Add(one);
            }
        }
        var end = to == DateTime.MaxValue ? to : to + Overtime;
        return [.. sessions.Where(session => session[0].Occurred >= from && session[0].Occurred < to)
            .Select(session => session.TakeWhile(one => one.Occurred < end).ToList())];
    }

    /// <summary>A session as a line.</summary>
    public static string Line(List<FunnelEvent> session) => Line(session[0].Product, session[0].Occurred,
        session[^1].Occurred, session.Count, EntryPath(session), ExitPath(session));

    public static string Line(string product, DateTime start, DateTime end, long events, string? entry, string? exit) =>
        $"{product} {start:O} {end:O} {events} {entry} {exit}";

    public static string? EntryPath(List<FunnelEvent> session) =>
        session.Select(one => one.Path).FirstOrDefault(path => path is not null);

    public static string? ExitPath(List<FunnelEvent> session) =>
        session.Select(one => one.Path).LastOrDefault(path => path is not null);
}
