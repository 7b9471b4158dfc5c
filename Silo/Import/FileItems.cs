using System.IO.Compression;
using System.IO.Pipelines;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>The events of a file: NDJSON or CSV, as its name ends or else as it begins, and gzip where it begins so.</summary>
internal static class FileItems
{
    /// <exception cref="StartupException">It is not what it should be, so that nothing after it can be read.</exception>
    public static async IAsyncEnumerable<Item> Read(Stream source, string name)
    {
        var records = new RecordReader(await Uncompressed(source));
        using var ids = new PrefixIds();
        CsvFields? csv = null;
        for (var isFirst = true; await Next(records) is { } record; isFirst = false)
        {
            if (isFirst) record = record with { Text = WithoutByteOrderMark(record.Text) };
            var id = ids.Next(record.Text is { } hashed ? hashed.Span : default);
            if (record.Text is not { } text)
            {
                yield return Item.Malformed(record.Line, $"The line is longer than {RecordReader.RecordBytesMax} bytes.");
            }
            else if (isFirst && IsCsv(name, text.Span))
            {
                csv = new(text.Span);
                records.KeepsQuotedLines = true;
            }
            else if (!text.Span.ContainsAnyExcept(" \t"u8))
            {
                // a blank line
            }
            else yield return csv is null ? Item.OfJson(record.Line, text.Span, id) : csv.Read(record, id);
        }
    }

    private static async ValueTask<Record?> Next(RecordReader records)
    {
        try
        {
            return await records.Next();
        }
        catch (Exception exception) when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"cannot be read to its end: {exception.Message}", exception);
        }
    }

    private static async ValueTask<Stream> Uncompressed(Stream source)
    {
        var pipe = PipeReader.Create(source);
        var read = await pipe.ReadAtLeastAsync(2);
        var isGzip = read.Buffer.FirstSpan is [0x1F, 0x8B, ..];
        pipe.AdvanceTo(read.Buffer.Start);
        var whole = pipe.AsStream();
        return isGzip ? new GZipStream(whole, CompressionMode.Decompress) : whole;
    }

    private static bool IsCsv(string name, ReadOnlySpan<byte> first)
    {
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return Path.GetExtension(plain).ToUpperInvariant() switch
        {
            ".CSV" or ".TSV" => true,
            ".NDJSON" or ".JSONL" => false,
            _ => first.TrimStart(" \t"u8) is [not (byte)'{', ..],
        };
    }

    private static ReadOnlyMemory<byte>? WithoutByteOrderMark(ReadOnlyMemory<byte>? text) =>
        text is { Span: [0xEF, 0xBB, 0xBF, ..] } marked ? marked[3..] : text;
}
