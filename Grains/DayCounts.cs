using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// Events of the newest active days, by day: 12 bytes each. A day that a later one has pushed out is never among
/// the newest again, so what is kept stays exact in whatever order the events come.
/// </summary>
[GenerateSerializer, Alias("tally.DayCounts")]
public sealed class DayCounts
{
    [Id(0)] private int[] days = []; // ascending, as DaySet counts them
    [Id(1)] private long[] events = [];

    public void Add(int day, long count = 1)
    {
        var at = Array.BinarySearch(days, day);
        if (at >= 0) events[at] += count;
        else if (days.Length < Limits.ActivityDaysMax) Insert(~at, day, count);
        else if (~at > 0) ReplaceOldest(~at - 1, day, count);
    }

    /// <summary>Newest first.</summary>
    public List<DayView> ToView()
    {
        var view = new List<DayView>(days.Length);
        for (var i = days.Length - 1; i >= 0; i--) view.Add(new(DateOnly.FromDayNumber(days[i]), events[i]));
        return view;
    }

    public DayCounts Copy() => new() { days = [.. days], events = [.. events] };

    public bool SameAs(DayCounts other) =>
        days.AsSpan().SequenceEqual(other.days) && events.AsSpan().SequenceEqual(other.events);

    private void Insert(int at, int day, long count)
    {
        days = [.. days[..at], day, .. days[at..]];
        events = [.. events[..at], count, .. events[at..]];
    }

    private void ReplaceOldest(int at, int day, long count)
    {
        Array.Copy(days, 1, days, 0, at);
        Array.Copy(events, 1, events, 0, at);
        (days[at], events[at]) = (day, count);
    }
}
