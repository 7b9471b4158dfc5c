using System.Globalization;
using System.Text;

namespace Tally.Silo.Http.Json;

/// <summary>
/// The text of JSON strings. The framework throws at half a surrogate pair, which clients send that cut a text in the
/// middle of an emoji. This decodes it, and each field decides what to do with it.
/// </summary>
internal static class JsonText
{
    /// <summary>A string's text, which may contain halves of surrogate pairs.</summary>
    /// <param name="json">A well-formed string, without its quotes.</param>
    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public static string Unescape(ReadOnlySpan<byte> json)
    {
        var escape = json.IndexOf((byte)'\\');
        if (escape < 0) return StrictUtf8.Encoding.GetString(json);
        var text = new StringBuilder(json.Length);
        for (; escape >= 0; escape = json.IndexOf((byte)'\\'))
        {
            text.Append(StrictUtf8.Encoding.GetString(json[..escape]));
            var kind = json[escape + 1];
            text.Append(kind switch
            {
                (byte)'u' => (char)CodeUnit(json, escape),
                (byte)'b' => '\b',
                (byte)'f' => '\f',
                (byte)'n' => '\n',
                (byte)'r' => '\r',
                (byte)'t' => '\t',
                _ => (char)kind,
            });
            json = json[(escape + (kind == 'u' ? 6 : 2))..];
        }
        return text.Append(StrictUtf8.Encoding.GetString(json)).ToString();
    }

    /// <summary>JSON as it is.</summary>
    /// <exception cref="DecoderFallbackException">It is not UTF-8.</exception>
    public static string Raw(ReadOnlySpan<byte> json) => StrictUtf8.Encoding.GetString(json);

    /// <summary>Replaces each half of a surrogate pair by U+FFFD.</summary>
    public static string WithoutHalves(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            // which replaces them
            if (!char.IsSurrogatePair(text, i)) return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text));
            i++;
        }
        return text;
    }

    /// <summary>
    /// Replaces, in place, the escapes that no database takes by \ufffd: \u0000, and halves of surrogate pairs. The
    /// length stays the same.
    /// </summary>
    /// <returns>Whether there were any.</returns>
    public static bool ReplaceUnstorable(Span<byte> json)
    {
        var replaced = false;
        for (var at = 0; json[at..].IndexOf((byte)'\\') is var next and >= 0;)
        {
            at += next;
            if (json[at + 1] != 'u')
            {
                at += 2;
                continue;
            }
            var unit = (char)CodeUnit(json, at);
            if (char.IsHighSurrogate(unit) && json[(at + 6)..].StartsWith("\\u"u8)
                && char.IsLowSurrogate((char)CodeUnit(json, at + 6)))
            {
                at += 12;
                continue;
            }
            if (unit == 0 || char.IsSurrogate(unit))
            {
                "fffd"u8.CopyTo(json[(at + 2)..]);
                replaced = true;
            }
            at += 6;
        }
        return replaced;
    }

    private static ushort CodeUnit(ReadOnlySpan<byte> json, int escape) =>
        ushort.Parse(json.Slice(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
