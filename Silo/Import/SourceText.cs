using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using Tally.Silo.Compression;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>Opens a source as UTF-8: decompresses gzip, and converts UTF-16 and UTF-32 by their marks.</summary>
internal static class SourceText
{
    /// <summary>Stands for invalid characters: U+FFFF, which no text contains.</summary>
    public static ReadOnlySpan<byte> NoCharacter => "\uFFFF"u8;

    /// <returns>The text, and whether <see cref="NoCharacter"/> stands for invalid characters in it.</returns>
    /// <exception cref="StartupException">The source is not text.</exception>
    public static async ValueTask<(Stream Text, bool IsTranscoded)> Open(Stream source)
    {
        var (text, begin) = await Peek(source);
        if (begin is [0x1F, 0x8B, ..]) (text, begin) = await Peek(new WholeGzipStream(text.AsStream()));
        if (begin is [(byte)'P', (byte)'K', 3, 4, ..])
            throw new StartupException("this is a zip: unpack it, and import the files in it");
        if (begin is [(byte)'P', (byte)'A', (byte)'R', (byte)'1', ..])
            throw new StartupException("Parquet has to be a file as it is, neither piped nor in gzip");
        var (encoding, mark) = EncodingByMark(begin);
        if (mark > 0) text.AdvanceTo((await text.ReadAtLeastAsync(mark)).Buffer.GetPosition(mark));
        if (encoding is null && begin.AsSpan(mark).Contains((byte)0))
            throw new StartupException("this is not text: use UTF-8, or UTF-16 or UTF-32 with a byte order mark");
        var bytes = text.AsStream();
        return encoding is null ? (bytes, false)
            : (Encoding.CreateTranscodingStream(bytes, encoding,
                new UTF8Encoding(encoderShouldEmitUTF8Identifier: false)), true);
    }

    private static async ValueTask<(PipeReader Reader, byte[] Begin)> Peek(Stream source)
    {
        var reader = PipeReader.Create(source);
        var read = await reader.ReadAtLeastAsync(4);
        var begin = read.Buffer.ToArray();
        reader.AdvanceTo(read.Buffer.Start);
        return (reader, begin);
    }

    // UTF-32's mark begins with UTF-16's, so it comes first.
    private static (Encoding? Encoding, int Mark) EncodingByMark(ReadOnlySpan<byte> begin) => begin switch
    {
        [0xEF, 0xBB, 0xBF, ..] => (null, 3),
        [0xFF, 0xFE, 0, 0, ..] => (Marking(new UTF32Encoding(bigEndian: false, byteOrderMark: false)), 4),
        [0, 0, 0xFE, 0xFF, ..] => (Marking(new UTF32Encoding(bigEndian: true, byteOrderMark: false)), 4),
        [0xFF, 0xFE, ..] => (Marking(new UnicodeEncoding(bigEndian: false, byteOrderMark: false)), 2),
        [0xFE, 0xFF, ..] => (Marking(new UnicodeEncoding(bigEndian: true, byteOrderMark: false)), 2),
        _ => (null, 0),
    };

    // Marks invalid characters, so that only their row is refused.
    private static Encoding Marking(Encoding encoding)
    {
        var marking = (Encoding)encoding.Clone();
        marking.DecoderFallback = new DecoderReplacementFallback("\uFFFF");
        return marking;
    }
}
