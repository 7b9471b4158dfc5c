namespace Tally.Silo.Storage;

/// <summary>A time as both databases keep it, so that memory and log never differ.</summary>
internal static class DatabaseTime
{
    /// <returns>UTC, in whole microseconds.</returns>
    public static DateTime From(DateTimeOffset time) =>
        new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
}
