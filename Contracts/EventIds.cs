using System.Security.Cryptography;
using System.Text;

namespace Tally.Contracts;

/// <summary>How an event gets the 128 bits that name it in the log.</summary>
public static class EventIds
{
    /// <summary>
    /// A new id for an event whose client gave none: UUID version 7, so ids of one moment lie together.
    /// </summary>
    public static Guid Create(DateTimeOffset now) => Guid.CreateVersion7(now);

    /// <summary>
    /// A client's id: a UUID in its usual form (8-4-4-4-12, any case) is itself; any other string is the UUID
    /// version 8 made of the first 128 bits of its SHA-256.
    /// </summary>
    public static Guid FromClient(string id)
    {
        if (Guid.TryParseExact(id, "D", out var uuid) && IsUsualForm(uuid, id)) return uuid;
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        Span<byte> utf8 = stackalloc byte[Encoding.UTF8.GetMaxByteCount(Limits.EventIdCharactersCeiling)];
        var length = Encoding.UTF8.GetBytes(id, utf8);
        SHA256.HashData(utf8[..length], hash);
        hash[6] = (byte)((hash[6] & 0x0F) | 0x80);
        hash[8] = (byte)((hash[8] & 0x3F) | 0x80);
        return new Guid(hash[..16], bigEndian: true);
    }

    // The parser also takes white space around it, and "+" or "0x" for leading zeros: other strings, so other ids.
    private static bool IsUsualForm(Guid uuid, string id)
    {
        Span<char> usual = stackalloc char[36];
        return uuid.TryFormat(usual, out _, "D") && usual.Equals(id, StringComparison.OrdinalIgnoreCase);
    }
}
