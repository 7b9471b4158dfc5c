using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// The newest events of a fingerprint, by id: repeats of these are answered without asking the log. Holds the last
/// <c>max</c>; grows as it fills, since most visitors have one event.
/// </summary>
internal sealed class RememberedEvents(int max)
{
    private readonly record struct Remembered(Guid Id, long Sequence, int ContentHash);

    private Remembered[] ring = [];
    private int count;
    private int next;

    public void Add(RecordedEvent recorded)
    {
        if (count == ring.Length && count < max) Array.Resize(ref ring, Math.Clamp(count * 2, 1, max));
        ring[next] = new(recorded.Event.Id, recorded.Sequence, ContentHash(recorded.Event));
        next = (next + 1) % max;
        count = Math.Min(count + 1, max);
    }

    /// <summary>
    /// The sequence of an event id, and whether its first event has the same text; null where it is not remembered.
    /// Other text may still be the same content, written in another way: only the log, which has the first event, can
    /// tell.
    /// </summary>
    public (long Sequence, bool SameText)? Find(Contracts.Event e)
    {
        for (var i = 0; i < count; i++)
            if (ring[i].Id == e.Id) return (ring[i].Sequence, ring[i].ContentHash == ContentHash(e));
        return null;
    }

    // Stands in for the text itself, which would cost several times the memory: of four billion conflicting
    // repeats, one is answered as an ordinary repeat. It is not recorded either way.
    private static int ContentHash(Contracts.Event e) => HashCode.Combine(e.Action, e.Product, e.Properties);
}
