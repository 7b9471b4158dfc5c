using Tally.Grains.EventLog;

namespace Tally.Grains.Rules;

/// <summary>
/// Rules about all fingerprints together: no such event has occurred for some time. They are asked of the rollups,
/// which know by the minute when an event occurred. So a silence counts from the end of that minute.
/// </summary>
public static class Silence
{
    /// <summary>In place of a fingerprint. No event has this one.</summary>
    public const string Fingerprint = "";

    private static readonly TimeSpan Minute = TimeSpan.FromMinutes(1);

    /// <summary>When nothing will have occurred for long enough.</summary>
    /// <param name="since">The minute of the last event.</param>
    /// <param name="length">Of the silence.</param>
    public static DateTime DueAt(DateTime since, TimeSpan length) => since + Minute + length;

    /// <summary>The minute from which a look that is due then has to look.</summary>
    public static DateTime LookFrom(DateTime due, TimeSpan length) => due - length - Minute;

    /// <summary>In place of an event's sequence: it numbers the minutes, so each silence has its own.</summary>
    public static long SequenceOf(DateTime since) => (since - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMinute;

    /// <summary>All silences that are over or due.</summary>
    /// <param name="minutes">With events, in their order.</param>
    /// <param name="from">When the rule would have begun.</param>
    /// <param name="length">The shortest silence.</param>
    public static IEnumerable<(DateTime Since, DateTime Due)> FindAll(
        IEnumerable<DateTime> minutes, DateTime from, DateTime now, TimeSpan length)
    {
        var since = RollupKey.MinuteOf(from);
        foreach (var next in minutes.Append(DateTime.MaxValue))
        {
            if (next <= since) continue;
            var due = DueAt(since, length);
            if (due <= now && due <= next) yield return (since, due);
            since = next;
        }
    }
}
