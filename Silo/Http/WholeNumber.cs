using System.Globalization;

namespace Tally.Silo.Http;

/// <summary>A query parameter that is a whole number: digits alone.</summary>
internal static class WholeNumber
{
    /// <param name="fallback">Where the parameter is not given.</param>
    public static bool TryRead(string? text, long min, long max, long fallback, out long value)
    {
        value = fallback;
        return text is null
            || long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value) && value >= min && value <= max;
    }
}
