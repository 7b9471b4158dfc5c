using System.Globalization;

namespace Tally.Silo.Http;

/// <summary>A length of time as people write it: 30m, 12h or 7d.</summary>
internal static class ShortDuration
{
    /// <returns>Null if it is no such length, or more than the maximum.</returns>
    public static TimeSpan? Parse(string text, int daysMax)
    {
        TimeSpan? unit = text.LastOrDefault() switch
        {
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        return unit is { } one
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture,
                out var count)
            && count > 0 && count <= TimeSpan.FromDays(daysMax) / one ? count * one : null;
    }

    /// <summary>In the largest unit that it is a whole number of.</summary>
    public static string Write(TimeSpan time) => time.Ticks % TimeSpan.TicksPerDay == 0 ? $"{time.TotalDays}d"
        : time.Ticks % TimeSpan.TicksPerHour == 0 ? $"{time.TotalHours}h" : $"{time.TotalMinutes}m";
}
