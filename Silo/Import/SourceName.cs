using System.Globalization;

namespace Tally.Silo.Import;

/// <summary>A text of a source's, as a message shows it: no terminal obeys it, and it fits on a screen.</summary>
internal static class SourceName
{
    private const int CharactersMax = 200;

    public static string Shown(string text)
    {
        var shown = string.Concat(text.Take(CharactersMax).Select(c => IsVisible(c) ? c : '\uFFFD'));
        return text.Length <= CharactersMax ? shown : shown[..^1] + "…";
    }

    private static bool IsVisible(char c) => CharUnicodeInfo.GetUnicodeCategory(c) is not (UnicodeCategory.Control
        or UnicodeCategory.Format or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator);
}
