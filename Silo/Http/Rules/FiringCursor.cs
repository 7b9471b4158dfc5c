using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;
using Tally.Contracts;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Rules;

/// <summary>
/// The cursor of a list of firings: base64url of the time, the rule's version, the sequence and the fingerprint. It is
/// no secret; one that is made up is either a valid place or refused.
/// </summary>
internal static class FiringCursor
{
    private const int HeadBytes = sizeof(long) + sizeof(int) + sizeof(long);

    public static string Encode(StoredFiring last) =>
        Encode(new FiringPlace(last.Fired, last.Fingerprint, last.RuleId, last.Sequence));

    private static string Encode(FiringPlace place)
    {
        var bytes = new byte[HeadBytes + StrictUtf8.Encoding.GetByteCount(place.Fingerprint)];
        BinaryPrimitives.WriteInt64BigEndian(bytes, place.Fired.Ticks);
        BinaryPrimitives.WriteInt32BigEndian(bytes.AsSpan(sizeof(long)), place.RuleId);
        BinaryPrimitives.WriteInt64BigEndian(bytes.AsSpan(sizeof(long) + sizeof(int)), place.Sequence);
        StrictUtf8.Encoding.GetBytes(place.Fingerprint, bytes.AsSpan(HeadBytes));
        return Base64Url.EncodeToString(bytes);
    }

    /// <returns>Null if the text is no cursor.</returns>
    public static FiringPlace? Decode(string text, Limits limits)
    {
        if (text.Length > Base64Url.GetEncodedLength(HeadBytes + limits.FingerprintBytesMax)
            || !Base64Url.IsValid(text)) return null;
        var bytes = Base64Url.DecodeFromChars(text);
        if (bytes.Length < HeadBytes) return null;
        var fired = BinaryPrimitives.ReadInt64BigEndian(bytes);
        // neither the first nor the last moment, which no database keeps
        if (fired < DateTime.MinValue.AddYears(1).Ticks || fired > FiringPlace.Beginning.Fired.Ticks
            || fired % TimeSpan.TicksPerMicrosecond != 0) return null;
        try
        {
            var place = new FiringPlace(new(fired, DateTimeKind.Utc),
                StrictUtf8.Encoding.GetString(bytes.AsSpan(HeadBytes)),
                BinaryPrimitives.ReadInt32BigEndian(bytes.AsSpan(sizeof(long))),
                BinaryPrimitives.ReadInt64BigEndian(bytes.AsSpan(sizeof(long) + sizeof(int))));
            return (place.Fingerprint == Silence.Fingerprint
                    || EventFields.CheckText("after", place.Fingerprint, limits.FingerprintBytesMax) is null)
                && Encode(place) == text ? place : null;
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
    }
}
