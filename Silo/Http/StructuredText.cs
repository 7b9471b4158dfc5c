using System.Text.RegularExpressions;

namespace Tally.Silo.Http;

/// <summary>A header's value that may be a string of structured fields (RFC 9651, 3.3.3), as some clients write it.</summary>
internal static partial class StructuredText
{
    // Printable ASCII between quotation marks, in which those and the backslash are escaped.
    [GeneratedRegex("""^"(?:[ !#-\[\]-~]|\\["\\])*"\z""")]
    private static partial Regex Form();

    [GeneratedRegex("""\\(.)""")]
    private static partial Regex Escape();

    /// <summary>What such a string says; any other value as it is.</summary>
    public static string Read(string value) => value is ['"', .., '"'] && Form().IsMatch(value) ? Escape().Replace(value[1..^1], "$1") : value;
}
