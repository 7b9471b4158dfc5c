namespace Tally.Grains.EventLog;

/// <summary>What a fingerprint did with a product on one day.</summary>
/// <param name="Day">Of <see cref="Contracts.Event.Occurred"/>.</param>
/// <param name="Product">Used.</param>
/// <param name="Fingerprint">By whom.</param>
/// <param name="Events">Its events of that day and product.</param>
/// <param name="FirstSeen">UTC: the earliest of them.</param>
/// <param name="LastSeen">UTC: the latest of them.</param>
public sealed record Visit(DateOnly Day, string Product, string Fingerprint, long Events, DateTime FirstSeen,
    DateTime LastSeen);

/// <summary>
/// What a batch adds to the visits, by column, as it is stored: one row for the whole batch. A visit
/// may stand in it more than once, since the merge adds up anyway.
/// </summary>
public sealed class VisitDelta
{
    // Most fingerprints have one visit in a batch. Of one that has many only the last few are looked through, so that
    // nobody's run of a thousand products costs its square.
    private const int LookedThroughMax = 8;

    // Columns and not rows: of a batch of 5,000 visitors no array is so large that the collector treats it as such.
    public List<DateOnly> Days { get; }
    public List<string> Fingerprints { get; }
    public List<string> Products { get; }
    public List<int> Events { get; }
    public List<DateTime> Firsts { get; }
    public List<DateTime> Lasts { get; }

    private VisitDelta(int capacity) =>
        (Days, Fingerprints, Products, Events, Firsts, Lasts) = (new(capacity), new(capacity), new(capacity),
            new(capacity), new(capacity), new(capacity));

    /// <param name="events">Those of one fingerprint stand together, as the runs of a batch do.</param>
    public static VisitDelta From(IReadOnlyList<RecordedEvent> events, Calendar calendar)
    {
        var delta = new VisitDelta(events.Count);
        var begin = 0; // of the fingerprint's visits
        for (var i = 0; i < events.Count; i++)
        {
            if (i > 0 && events[i].Fingerprint != events[i - 1].Fingerprint) begin = delta.Events.Count;
            delta.Add(events[i], calendar.DayOf(events[i].Event.Occurred), begin);
        }
        return delta;
    }

    private void Add(RecordedEvent recorded, DateOnly day, int begin)
    {
        var e = recorded.Event;
        for (var i = Events.Count - 1; i >= Math.Max(begin, Events.Count - LookedThroughMax); i--)
        {
            if (Days[i] != day || Products[i] != e.Product) continue;
            Events[i]++;
            if (e.Occurred < Firsts[i]) Firsts[i] = e.Occurred;
            if (e.Occurred > Lasts[i]) Lasts[i] = e.Occurred;
            return;
        }
        Days.Add(day);
        Fingerprints.Add(recorded.Fingerprint);
        Products.Add(e.Product);
        Events.Add(1);
        Firsts.Add(e.Occurred);
        Lasts.Add(e.Occurred);
    }
}
