using System.Text.RegularExpressions;

namespace Tally.Silo.Http;

/// <summary>
/// The header Idempotency-Key. The IETF's draft makes it a quoted string (RFC 9651, 3.3.3); most clients send no
/// quotes.
/// </summary>
internal static partial class IdempotencyKey
{
    public const string HeaderName = "Idempotency-Key";

    // Printable ASCII between quotes, in which quotes and backslashes are escaped.
    [GeneratedRegex("""^"(?:[ !#-\[\]-~]|\\["\\])*"\z""")]
    private static partial Regex Quoted();

    [GeneratedRegex("""\\(.)""")]
    private static partial Regex Escape();

    /// <param name="key">Without its quotes; null if the header is missing.</param>
    /// <returns>Why the header is refused, or null.</returns>
    public static Refusal? Parse(HttpRequest request, out string? key)
    {
        var header = request.Headers[HeaderName];
        key = header.Count == 0 ? null : Unquote(header.ToString());
        return header.Count > 1 ? Refusal.DuplicateField(HeaderName) : null;
    }

    private static string Unquote(string value) =>
        value is ['"', .., '"'] && Quoted().IsMatch(value) ? Escape().Replace(value[1..^1], "$1") : value;
}
