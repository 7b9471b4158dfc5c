using System.Buffers;
using System.Text;

namespace Tally.Silo.Http;

/// <summary>
/// Reads application/x-www-form-urlencoded, in a body or a query, pair by pair. It is strict: it refuses what it cannot
/// decode. The framework's reader replaces invalid bytes, so two different fingerprints could become one.
/// </summary>
internal ref struct FormReader(ReadOnlySpan<byte> form)
{
    private ReadOnlySpan<byte> rest = form;

    public string Name { get; private set; } = "";
    public string Value { get; private set; } = "";

    /// <summary>Reading ended at a pair whose percent-encoding is broken or is not UTF-8.</summary>
    public bool IsMalformed { get; private set; }

    /// <summary>Reads the next pair. Empty pairs, as between <c>&amp;&amp;</c>, are skipped.</summary>
    /// <returns>False at the end, or at a malformed pair.</returns>
    public bool TryRead()
    {
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf((byte)'&');
            var pair = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (pair.IsEmpty) continue;
            var equals = pair.IndexOf((byte)'=');
            var rawName = equals < 0 ? pair : pair[..equals];
            if (WellKnown(rawName) is not { } name && !TryDecode(rawName, out name)
                || !TryDecode(equals < 0 ? default : pair[(equals + 1)..], out var value))
            {
                IsMalformed = true;
                return false;
            }
            (Name, Value) = (name, value);
            return true;
        }
        return false;
    }

    // Names that nearly every form has, without a new string.
    private static string? WellKnown(ReadOnlySpan<byte> rawName) =>
        rawName.SequenceEqual("action"u8) ? "action"
        : rawName.SequenceEqual("product"u8) ? "product"
        : rawName.SequenceEqual("fingerprint"u8) ? "fingerprint"
        : rawName.SequenceEqual("id"u8) ? "id"
        : null;

    /// <summary>
    /// Decodes percent-encoding, with '+' as a space. False if a '%' lacks two hex digits, or the bytes are not UTF-8.
    /// </summary>
    public static bool TryDecode(ReadOnlySpan<byte> raw, out string text, bool plusIsSpace = true)
    {
        text = "";
        var rented = ArrayPool<byte>.Shared.Rent(raw.Length);
        try
        {
            var length = 0;
            for (var i = 0; i < raw.Length; i++)
            {
                var b = raw[i];
                if (b == '+' && plusIsSpace) b = (byte)' ';
                else if (b == '%')
                {
                    if (i + 2 >= raw.Length || !char.IsAsciiHexDigit((char)raw[i + 1])
                        || !char.IsAsciiHexDigit((char)raw[i + 2])) return false;
                    b = (byte)((HexValue(raw[i + 1]) << 4) | HexValue(raw[i + 2]));
                    i += 2;
                }
                rented[length++] = b;
            }
            text = StrictUtf8.Encoding.GetString(rented, 0, length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
