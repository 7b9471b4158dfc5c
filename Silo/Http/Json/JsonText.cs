using System.Globalization;
using System.Text;

namespace Tally.Silo.Http.Json;

/// <summary>
/// The text of JSON strings, whatever stands in them. The framework throws at half a surrogate pair, which is what a client sends
/// that cuts a text in the middle of an emoji; here the text is read, and each field decides what it makes of it.
/// </summary>
internal static class JsonText
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>A string's text, which may hold halves of surrogate pairs.</summary>
    /// <param name="json">A well-formed string, without its quotation marks.</param>
    /// <exception cref="DecoderFallbackException">It is no UTF-8.</exception>
    public static string Unescape(ReadOnlySpan<byte> json)
    {
        var escape = json.IndexOf((byte)'\\');
        if (escape < 0) return Strict.GetString(json);
        var text = new StringBuilder(json.Length);
        for (; escape >= 0; escape = json.IndexOf((byte)'\\'))
        {
            text.Append(Strict.GetString(json[..escape]));
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
        return text.Append(Strict.GetString(json)).ToString();
    }

    /// <summary>JSON as it came, to be kept.</summary>
    /// <exception cref="DecoderFallbackException">It is no UTF-8.</exception>
    public static string Raw(ReadOnlySpan<byte> json) => Strict.GetString(json);

    /// <summary>The same with U+FFFD for each half of a surrogate pair.</summary>
    public static string WithoutHalves(string text)
    {
        for (var i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i])) continue;
            if (!char.IsSurrogatePair(text, i)) return Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text)); // which replaces them
            i++;
        }
        return text;
    }

    /// <summary>
    /// Puts, in place, \ufffd for the escapes that no database takes: \u0000, and halves of surrogate pairs. Both are as long, so
    /// nothing moves.
    /// </summary>
    /// <param name="json">Well-formed.</param>
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
            if (char.IsHighSurrogate(unit) && json[(at + 6)..].StartsWith("\\u"u8) && char.IsLowSurrogate((char)CodeUnit(json, at + 6)))
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
