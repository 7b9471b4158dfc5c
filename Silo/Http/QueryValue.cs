using System.Globalization;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Http;

/// <summary>The values of query parameters. Each method returns why a value is refused, or null.</summary>
internal static class QueryValue
{
    /// <summary>A text, or null for all.</summary>
    public static Refusal? CheckText(string name, string? value, int bytesMax) =>
        value is null ? null : EventFields.CheckText(name, value, bytesMax);

    /// <summary>A whole number: digits alone.</summary>
    public static Refusal? ParseNumber(string name, string? text, long min, long max, long fallback, out long number)
    {
        number = fallback;
        return text is null
            || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out number) && number >= min
                && number <= max
            ? null : Refusal.OutOfRange(name, min, max);
    }

    /// <summary>The parameter limit: how many rows an answer has at most.</summary>
    public static Refusal? ParseLimit(string? text, int usual, int max, out int limit)
    {
        var refusal = ParseNumber("limit", text, 1, max, Math.Min(usual, max), out var number);
        limit = (int)number;
        return refusal;
    }

    /// <summary>A time, or a day, which stands for its first moment.</summary>
    public static Refusal? ParseTime(
        string name, string? text, Calendar calendar, DateTime fallback, out DateTime time)
    {
        time = fallback;
        return text is null || Timestamp.TryParseTimeOrDay(text, calendar, out time) ? null : Refusal.InvalidTime(name);
    }
}
