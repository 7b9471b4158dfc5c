using System.Buffers;
using System.Text;

namespace Tally.Silo.Http;

/// <summary>
/// Reads application/x-www-form-urlencoded strictly: what cannot be decoded is refused, where the framework's reader
/// would replace it, so that two different fingerprints could become one. Fields it does not know are skipped.
/// </summary>
internal static class FormFields
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <returns>Why the body is refused, or null with the fields filled in.</returns>
    public static Refusal? Read(ReadOnlySpan<byte> body, EventFields fields)
    {
        if (RequestBody.LooksLikeJson(body)) return Refusal.JsonInForm();
        foreach (var range in body.Split((byte)'&'))
        {
            var pair = body[range];
            var equals = pair.IndexOf((byte)'=');
            var rawName = equals < 0 ? pair : pair[..equals];
            var rawValue = equals < 0 ? default : pair[(equals + 1)..];
            if (Known(rawName) is not { } name && !TryDecode(rawName, out name) || !TryDecode(rawValue, out var value))
                return Refusal.MalformedBody("The form's percent-encoding is broken or is not UTF-8.");
            if (!fields.TrySet(name, value)) return Refusal.DuplicateField(name);
        }
        return null;
    }

    // What nearly every form has, without a new string.
    private static string? Known(ReadOnlySpan<byte> rawName) =>
        rawName.SequenceEqual("action"u8) ? "action"
        : rawName.SequenceEqual("product"u8) ? "product"
        : rawName.SequenceEqual("fingerprint"u8) ? "fingerprint"
        : rawName.SequenceEqual("id"u8) ? "id"
        : null;

    /// <summary>Percent-decodes with '+' as a space. False where a '%' has no two hex digits or the bytes are no UTF-8.</summary>
    public static bool TryDecode(ReadOnlySpan<byte> raw, out string text, bool plusIsSpace = true)
    {
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
                    if (i + 2 >= raw.Length || !char.IsAsciiHexDigit((char)raw[i + 1]) || !char.IsAsciiHexDigit((char)raw[i + 2]))
                    {
                        text = "";
                        return false;
                    }
                    b = (byte)((HexValue(raw[i + 1]) << 4) | HexValue(raw[i + 2]));
                    i += 2;
                }
                rented[length++] = b;
            }
            text = Strict.GetString(rented, 0, length);
            return true;
        }
        catch (DecoderFallbackException)
        {
            text = "";
            return false;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
