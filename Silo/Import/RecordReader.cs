namespace Tally.Silo.Import;

/// <summary>A line of a file, or in CSV the lines that quotes hold together.</summary>
/// <param name="Line">Where it begins, from 1.</param>
/// <param name="Text">Without its line end, and valid until the next one is read; null where it is too long.</param>
internal readonly record struct Record(long Line, ReadOnlyMemory<byte>? Text);

/// <summary>
/// Splits a stream into records, with memory for one. What is longer is skipped up to the next line end, whatever its
/// quotes: so one that was never closed does not take the rest of the file with it.
/// </summary>
internal sealed class RecordReader(Stream source)
{
    /// <summary>Far above what the service takes for an event: a line may hold other things beside it.</summary>
    public const int RecordBytesMax = 1 << 20;

    private readonly byte[] buffer = new byte[RecordBytesMax + 1];
    private int start, scanned, end;
    private bool quoted, ended;
    private long line = 1;

    /// <summary>Whether a line end between double quotes is part of the record.</summary>
    public bool KeepsQuotedLines { get; set; }

    /// <returns>The next record, or null at the end.</returns>
    public async ValueTask<Record?> Next()
    {
        var (first, tooLong) = (line, false);
        (scanned, quoted) = (start, false);
        while (true)
        {
            if (FindEnd(honorQuotes: KeepsQuotedLines && !tooLong) || (ended && (tooLong || start < end)))
            {
                var text = buffer.AsMemory(start, scanned - start);
                start = Math.Min(scanned + 1, end);
                return tooLong ? new(first, null) : new(first, text.Span is [.., (byte)'\r'] ? text[..^1] : text);
            }
            if (ended) return null;
            if (start > 0) MoveDown();
            if (end == buffer.Length) (tooLong, scanned, end) = (true, 0, 0);
            var read = await source.ReadAsync(buffer.AsMemory(end));
            (end, ended) = (end + read, read == 0);
        }
    }

    // Leaves scanned at the record's end, or where reading must go on.
    private bool FindEnd(bool honorQuotes)
    {
        while (true)
        {
            var rest = buffer.AsSpan(scanned, end - scanned);
            var at = honorQuotes ? rest.IndexOfAny((byte)'\n', (byte)'"') : rest.IndexOf((byte)'\n');
            if (at < 0)
            {
                scanned = end;
                return false;
            }
            scanned += at;
            if (buffer[scanned] == '\n')
            {
                line++;
                if (!quoted || !honorQuotes) return true;
            }
            else quoted = !quoted;
            scanned++;
        }
    }

    private void MoveDown()
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        (scanned, end, start) = (scanned - start, end - start, 0);
    }
}
