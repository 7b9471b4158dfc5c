using System.Globalization;
using System.Text.RegularExpressions;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Http;

/// <summary>
/// Times as programs write them: RFC 3339, or nearly (a space for the T, an offset without a colon, no seconds), or
/// seconds or milliseconds since 1970. A zone is required, so that a time names one moment.
/// </summary>
internal static partial class Timestamp
{
    private const int MinutesMax = 14 * 60; // the largest offset in .NET and Postgres

    // Neither a year nor a day without dashes is taken for seconds.
    private const decimal SecondsMin = 100_000_000, MillisecondsMin = 100_000_000_000, MillisecondsMax =
        100_000_000_000_000;

    // A fraction finer than 100 ns is cut off: what is kept is coarser still. In a form, a plus that was not encoded
    // has become a space; before the digits of an offset it cannot mean anything else.
    [GeneratedRegex(@"^(?<day>[0-9]{4}-[0-9]{2}-[0-9]{2})[Tt ]"
        + @"(?<minute>[0-9]{2}:[0-9]{2})(:(?<second>[0-9]{2})([.,](?<fraction>[0-9]{1,7})[0-9]*)?)?"
        + @"(?<zone>[Zz]| ?(UTC|GMT)| ?(?<sign>[+-])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2})"
        + @"| {1,2}(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2}))?\z",
        RegexOptions.CultureInvariant | RegexOptions.ExplicitCapture)]
    private static partial Regex Format();

    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}\z")]
    private static partial Regex Day();

    /// <summary>Why an event's time cannot be read, or null.</summary>
    public static Refusal? Parse(string text, out DateTimeOffset time) =>
        TryParse(text, out time, out var lacksZone) ? null
            : lacksZone ? Refusal.TimestampWithoutZone() : Refusal.InvalidTimestamp();

    public static bool TryParse(string text, out DateTimeOffset time) => TryParse(text, out time, out _);

    /// <summary>The same, or a day, which stands for its first moment.</summary>
    public static bool TryParseTimeOrDay(string text, Calendar calendar, out DateTime time)
    {
        var isTime = TryParse(text, out var moment);
        time = moment.UtcDateTime;
        if (isTime || !DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None,
            out var day)) return isTime;
        time = calendar.StartOf(day);
        return true;
    }

    private static bool TryParse(string text, out DateTimeOffset time, out bool lacksZone)
    {
        lacksZone = false;
        var match = Format().Match(text);
        if (!match.Success)
        {
            lacksZone = Day().IsMatch(text);
            return TryParseEpoch(text, out time);
        }
        lacksZone = !match.Groups["zone"].Success;
        time = default;
        var written = $"{Part("day", "")}T{Part("minute", "")}:{Part("second", "00")}.{Part("fraction", "0")}";
        if (lacksZone || !DateTime.TryParse(written, CultureInfo.InvariantCulture, DateTimeStyles.None, out var local))
            return false;
        var offset = OffsetOf(match);
        var ticks = local.Ticks - offset.Ticks;
        if (offset.Duration().TotalMinutes > MinutesMax || ticks < 0 || ticks > DateTime.MaxValue.Ticks) return false;
        time = new(ticks, TimeSpan.Zero);
        return true;

        string Part(string name, string fallback) =>
            match.Groups[name] is { Success: true } part ? part.Value : fallback;
    }

    private static TimeSpan OffsetOf(Match match)
    {
        if (!match.Groups["hours"].Success) return TimeSpan.Zero;
        var hours = int.Parse(match.Groups["hours"].ValueSpan, CultureInfo.InvariantCulture);
        var minutes = int.Parse(match.Groups["minutes"].ValueSpan, CultureInfo.InvariantCulture);
        var offset = minutes < 60 ? new TimeSpan(hours, minutes, 0) : TimeSpan.MaxValue; // larger than any offset
        return match.Groups["sign"].ValueSpan is "-" ? -offset : offset;
    }

    private static bool TryParseEpoch(string text, out DateTimeOffset time)
    {
        time = default;
        const NumberStyles style =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (!decimal.TryParse(text, style, CultureInfo.InvariantCulture, out var number)) return false;
        var size = Math.Abs(number);
        if (size is < SecondsMin or >= MillisecondsMax) return false;
        var ticks = DateTime.UnixEpoch.Ticks
            + (long)(number * (size < MillisecondsMin ? TimeSpan.TicksPerSecond : TimeSpan.TicksPerMillisecond));
        if (ticks < 0 || ticks > DateTime.MaxValue.Ticks) return false;
        time = new(ticks, TimeSpan.Zero);
        return true;
    }
}
