using System.IO.Compression;
using System.Text;
using Tally.Silo.Compression;

namespace Tally.Tests.Pure;

/// <summary>Gzip is read to the end of its source, or fails and says where.</summary>
public sealed class Gzip
{
    private static readonly bool[] Both = [true, false];
    private static readonly byte[] First = Random(50_000, seed: 1), Second = Random(3_000, seed: 2);

    [Fact]
    public async Task One_member_and_several_are_read_whole()
    {
        foreach (var isAsync in Both)
        {
            Assert.Equal<byte>(First, await Read(Compressed(First), isAsync));
            Assert.Equal<byte>((byte[])[.. First, .. Second],
                await Read([.. Compressed(First), .. Compressed(Second)], isAsync));
            Assert.Equal<byte>(Second,
                await Read([.. Compressed([]), .. Compressed(Second), .. Compressed([])], isAsync));
            Assert.Empty(await Read(Compressed([]), isAsync));
        }
    }

    [Fact]
    public async Task What_follows_and_is_no_member_is_told_with_its_place()
    {
        var member = Compressed(First);
        foreach (var isAsync in Both)
            foreach (var tail in (byte[][])[Encoding.UTF8.GetBytes("{}\n"), Random(100_000, seed: 3), [0, 0, 0, 0],
                [0x1F, 0x1F]])
            {
                var message = await MessageOf([.. member, .. tail], isAsync);
                Assert.StartsWith("something else follows the gzip data, at about byte ", message);
                Assert.InRange(PlaceIn(message), member.Length, member.Length + 256);
            }
    }

    [Fact]
    public async Task A_member_that_is_damaged_or_breaks_off_is_told_with_its_place()
    {
        var (member, damaged) = (Compressed(First), Compressed(Second));
        damaged[damaged.Length - 5] ^= 0xFF; // in its checksum
        foreach (var isAsync in Both)
        {
            foreach (var tail in (byte[][])[damaged, [0x1F, 0x8B, 0, 0], [0x1F, 0x8B, .. Random(5_000, seed: 4)]])
            {
                var message = await MessageOf([.. member, .. tail], isAsync);
                Assert.StartsWith("the gzip data is damaged, at about byte ", message);
                Assert.InRange(PlaceIn(message), member.Length, member.Length + tail.Length);
            }
            foreach (var bytes in (byte[][])[member[..^1], member[..^9], member[..3], [.. member, .. damaged[..100]],
                [.. member, 0x1F, 0x8B]])
                Assert.Equal($"the gzip data breaks off, at byte {bytes.Length}", await MessageOf(bytes, isAsync));
        }
    }

    private static async Task<byte[]> Read(byte[] bytes, bool isAsync)
    {
        await using var stream = new WholeGzipStream(new MemoryStream(bytes));
        var (read, buffer) = (new MemoryStream(), new byte[1_000]);
        for (int count; (count = isAsync ? await stream.ReadAsync(buffer) : stream.Read(buffer, 0, buffer.Length)) > 0;)
            read.Write(buffer, 0, count);
        return read.ToArray();
    }

    private static async Task<string> MessageOf(byte[] bytes, bool isAsync) =>
        (await Assert.ThrowsAnyAsync<InvalidDataException>(() => Read(bytes, isAsync))).Message;

    private static int PlaceIn(string message) =>
        int.Parse(message[(message.LastIndexOf(' ') + 1)..], System.Globalization.CultureInfo.InvariantCulture);

    private static byte[] Compressed(byte[] bytes)
    {
        using var compressed = new MemoryStream();
        using (var gzip = new GZipStream(compressed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return compressed.ToArray();
    }

    private static byte[] Random(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }
}
