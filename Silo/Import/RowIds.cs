using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// Names a row that has no id: by its own text under the file's header, and by how often the same text came before. So the same
/// file gives the same ids however it is called, compressed or encoded, and whatever its line ends; a row that is corrected,
/// added or taken out changes no other row's id. Memory grows with the rows without ids: 20 to 40 bytes each.
/// </summary>
internal sealed class RowIds
{
    /// <summary>Where memory ends: 2 to 4 GB.</summary>
    private const int RowsMax = 100_000_000;

    // Of the texts' hashes 8 bytes are enough: if two texts share them, the later one is called a repeat, with an id that is its own.
    private readonly HashSet<ulong> seen = [];
    private readonly Dictionary<ulong, long> repeats = [];
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private byte[] header = [];

    /// <param name="text">A CSV file's first line.</param>
    public void SetHeader(ReadOnlySpan<byte> text) => header = [.. text, (byte)'\n'];

    /// <exception cref="StartupException">There are too many.</exception>
    public string Next(ReadOnlySpan<byte> text)
    {
        hash.AppendData(header);
        AppendLines(text);
        var digest = hash.GetHashAndReset();
        var key = BinaryPrimitives.ReadUInt64LittleEndian(digest);
        if (seen.Count >= RowsMax) throw new StartupException($"has more than {RowsMax} rows without an id: give them ids, or split it");
        if (!seen.Add(key))
        {
            var times = ++CollectionsMarshal.GetValueRefOrAddDefault(repeats, key, out _);
            Span<byte> count = stackalloc byte[sizeof(long)];
            BinaryPrimitives.WriteInt64LittleEndian(count, times);
            digest = SHA256.HashData([.. digest, .. count]);
        }
        return Convert.ToHexStringLower(digest);
    }

    // A cell in quotes may hold line ends, which are of the file's kind.
    private void AppendLines(ReadOnlySpan<byte> text)
    {
        for (int at; (at = text.IndexOf((byte)'\r')) >= 0; text = text[(at + (text[at..] is [_, (byte)'\n', ..] ? 2 : 1))..])
        {
            hash.AppendData(text[..at]);
            hash.AppendData("\n"u8);
        }
        hash.AppendData(text);
    }
}
