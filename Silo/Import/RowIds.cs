using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// Makes ids for rows that have none: from the row's text, the file's header, and how often the same text came before.
/// So a file gives the same ids whatever its name, compression, encoding and line ends; and a row that is changed,
/// added or removed changes no other row's id. Memory grows by 20 to 40 bytes for each row without an id.
/// </summary>
internal sealed class RowIds
{
    /// <summary>Bounds the memory to 2 to 4 GB.</summary>
    private const int RowsMax = 100_000_000;

    // 8 bytes of each hash are enough: if two texts share them, the later one counts as a repeat, and still has an id
    // of its own.
    private readonly HashSet<ulong> seen = [];
    private readonly Dictionary<ulong, long> repeats = [];
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] header = [];

    /// <param name="text">A CSV file's first line.</param>
    public void SetHeader(ReadOnlySpan<byte> text) => header = [.. text, (byte)'\n'];

    /// <exception cref="StartupException">There are too many.</exception>
    public string Create(ReadOnlySpan<byte> text)
    {
        hash.AppendData(header);
        AppendLines(text);
        var digest = hash.GetHashAndReset();
        var key = BinaryPrimitives.ReadUInt64LittleEndian(digest);
        if (seen.Count >= RowsMax)
            throw new StartupException($"has more than {RowsMax} rows without an id: give them ids, or split it");
        if (!seen.Add(key))
        {
            var times = ++CollectionsMarshal.GetValueRefOrAddDefault(repeats, key, out _);
            Span<byte> count = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(count, times);
            digest = SHA256.HashData([.. digest, .. count]);
        }
        return Convert.ToHexStringLower(digest);
    }

    // Line ends inside quoted cells are normalized.
    private void AppendLines(ReadOnlySpan<byte> text)
    {
        for (int at; (at = text.IndexOf((byte)'\r')) >= 0; text =
            text[(at + (text[at..] is [_, (byte)'\n', ..] ? 2 : 1))..])
        {
            hash.AppendData(text[..at]);
            hash.AppendData("\n"u8);
        }
        hash.AppendData(text);
    }
}
