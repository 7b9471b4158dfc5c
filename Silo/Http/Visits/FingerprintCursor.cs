using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>
/// A place in a list of fingerprints as its readers carry it from page to page: base64url of the order, the value and the
/// fingerprint. Not a secret, and whatever is made up reads as a place or is refused.
/// </summary>
internal static class FingerprintCursor
{
    private const int HeadBytes = 1 + sizeof(long);

    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static string Write(FingerprintPlace place)
    {
        var bytes = new byte[HeadBytes + Strict.GetByteCount(place.Fingerprint)];
        bytes[0] = (byte)place.Order;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), place.Value);
        Strict.GetBytes(place.Fingerprint, bytes.AsSpan(HeadBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <returns>Null where the text is no place in a list of that order.</returns>
    public static FingerprintPlace? Read(string text, FingerprintOrder order, Limits limits)
    {
        if (text.Length > Base64Url.GetEncodedLength(HeadBytes + limits.FingerprintBytesMax) || !Base64Url.IsValid(text)) return null;
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= HeadBytes || bytes[0] != (byte)order) return null;
        try
        {
            var place = new FingerprintPlace(order, BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(1)), Strict.GetString(bytes.AsSpan(HeadBytes)));
            return IsPlace(place, limits) && Write(place) == text ? place : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }

    private static bool IsPlace(FingerprintPlace place, Limits limits) =>
        place.Value >= 0 && (place.Order == FingerprintOrder.Total || place.Value <= DateTime.MaxValue.Ticks)
        && EventFields.CheckText("after", place.Fingerprint, limits.FingerprintBytesMax) is null;
}
