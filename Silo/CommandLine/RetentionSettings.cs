using System.Globalization;

namespace Tally.Silo.CommandLine;

/// <summary>What leaves by itself; null is never.</summary>
/// <param name="Retention">Age of an event, since it was accepted, at which it is pruned.</param>
/// <param name="ForgetAfter">Time since a fingerprint's last event after which it is erased whole.</param>
public sealed record RetentionSettings(TimeSpan? Retention, TimeSpan? ForgetAfter)
{
    // Less would forget the ids of events that clients are still sending again.
    private static readonly TimeSpan AgeMin = TimeSpan.FromDays(1);
    private const int DaysMax = 36_500;

    /// <summary>Reads a number of days or hours, <c>90d</c> or <c>36h</c>, or <c>none</c>.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static TimeSpan? ParseAge(string text)
    {
        if (text == AppCommand.None) return null;
        var age = !int.TryParse(text.AsSpan(0, Math.Max(0, text.Length - 1)), NumberStyles.None, CultureInfo.InvariantCulture, out var number)
                || number > DaysMax * 24 ? TimeSpan.Zero
            : text[^1] == 'd' ? TimeSpan.FromDays(number)
            : text[^1] == 'h' ? TimeSpan.FromHours(number) : TimeSpan.Zero;
        return age >= AgeMin && age <= TimeSpan.FromDays(DaysMax) ? age
            : throw new FormatException($"expected days or hours, such as 90d or 36h, from 1d to {DaysMax}d, or {AppCommand.None}");
    }
}
