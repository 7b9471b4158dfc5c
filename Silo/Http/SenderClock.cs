using System.Globalization;

namespace Tally.Silo.Http;

/// <summary>
/// For protocols whose senders say when they send, by the same clock as their events' times: the time between event and
/// sending is right even if the clock is wrong.
/// </summary>
internal static class SenderClock
{
    /// <summary>The event's time by this server's clock; as it is if the two times cannot be compared.</summary>
    public static string? Corrected(string? timestamp, string? sentAt, DateTimeOffset now)
    {
        if (!Timestamp.TryParse(sentAt ?? "", out var sent)
            || !Timestamp.TryParse(timestamp ?? "", out var time)) return timestamp;
        var ticks = time.UtcTicks + (now - sent).Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? timestamp
            : new DateTime(ticks, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture);
    }
}
