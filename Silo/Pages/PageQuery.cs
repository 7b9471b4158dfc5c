using System.Globalization;
using Microsoft.Extensions.Primitives;

namespace Tally.Silo.Pages;

/// <summary>What the pages' addresses and forms say.</summary>
internal static class PageQuery
{
    private const string DayFormat = "yyyy-MM-dd"; // as a date input sends it

    /// <summary>A value that is given once and is not empty, as a form sends what is not filled in.</summary>
    public static string? One(this IQueryCollection query, string name) => One(query[name]);

    /// <inheritdoc cref="One(IQueryCollection, string)"/>
    public static string? One(this IFormCollection form, string name) => One(form[name]);

    /// <returns>Null if the text is no day.</returns>
    public static DateOnly? ParseDay(string? text) =>
        DateOnly.TryParseExact(text, DayFormat, CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day
            : null;

    public static string TextOf(DateOnly day) => day.ToString(DayFormat, CultureInfo.InvariantCulture);

    private static string? One(StringValues values) => values is [{ Length: > 0 } one] ? one : null;
}
