using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>
/// The cursor of a list of fingerprints: base64url of the order, the value and the fingerprint. It is no secret; one
/// that is made up is either a valid place or refused.
/// </summary>
internal static class FingerprintCursor
{
    private const int HeadBytes = 1 + sizeof(long);

    public static string Encode(FingerprintPlace place)
    {
        var bytes = new byte[HeadBytes + StrictUtf8.Encoding.GetByteCount(place.Fingerprint)];
        bytes[0] = (byte)place.Order;
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(1), place.Value);
        StrictUtf8.Encoding.GetBytes(place.Fingerprint, bytes.AsSpan(HeadBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <returns>Null if the text is no cursor of a list in that order.</returns>
    public static FingerprintPlace? Decode(string text, FingerprintOrder order, Limits limits)
    {
        if (text.Length > Base64Url.GetEncodedLength(HeadBytes + limits.FingerprintBytesMax)
            || !Base64Url.IsValid(text)) return null;
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length <= HeadBytes || bytes[0] != (byte)order) return null;
        try
        {
            var value = BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(1));
            var fingerprint = StrictUtf8.Encoding.GetString(bytes.AsSpan(HeadBytes));
            var place = new FingerprintPlace(order, value, fingerprint);
            return IsPlace(place, limits) && Encode(place) == text ? place : null;
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
