using System.Globalization;
using System.Text.RegularExpressions;

namespace Tally.Silo.Http;

/// <summary>Times as RFC 3339 writes them: with an offset always, so that they name one moment.</summary>
internal static partial class Rfc3339
{
    // A fraction finer than 100 ns, which some clients write, is cut off: what is kept is coarser still.
    [GeneratedRegex(@"^([0-9]{4}-[0-9]{2}-[0-9]{2})[Tt]([0-9]{2}:[0-9]{2}:[0-9]{2})(?:(\.[0-9]{1,7})[0-9]*)?([Zz]|[+-][0-9]{2}:[0-9]{2})\z")]
    private static partial Regex Form();

    public static bool TryParse(string text, out DateTimeOffset time)
    {
        time = default;
        var match = Form().Match(text);
        return match.Success
            && DateTimeOffset.TryParse(match.Result("$1T$2$3$4"), CultureInfo.InvariantCulture, DateTimeStyles.None, out time);
    }

    /// <summary>Such a time, or a day, which stands for its first moment; in UTC.</summary>
    public static bool TryParseTimeOrDay(string text, out DateTime time)
    {
        var isTime = TryParse(text, out var moment);
        time = moment.UtcDateTime;
        return isTime || DateTime.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture,
            DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }
}
