namespace Tally.Silo.Import;

/// <summary>A line of a file; in CSV, several lines if a quoted cell spans them.</summary>
/// <param name="Line">The number of its first line, from 1.</param>
/// <param name="Text">Its text without the line end, valid until the next one is read; null if it is too long.</param>
/// <param name="Problem">What is wrong with its quotes; else null.</param>
internal readonly record struct Record(long Line, ReadOnlyMemory<byte>? Text, string? Problem);

/// <summary>
/// Splits a stream into records, with memory for one. A line ends with LF, CR LF or CR. In CSV a quote opens a cell
/// only at the cell's start, and closes it only at the cell's end (RFC 4180). A quote that is never closed costs only
/// its own line: the lines after it are read again, one by one. No byte is read more than a few times, whatever the
/// quotes.
/// </summary>
internal sealed class RecordReader(Stream source)
{
    /// <summary>Far more than the service takes for an event: a line may have other columns too.</summary>
    public const int RecordBytesMax = 1 << 20;

    private readonly byte[] buffer = new byte[RecordBytesMax + 2]; // with a line end
    private int start, scanned, end;
    private bool ended;
    private long line = 1; // at scanned

    // State of the current record.
    private bool tooLong, quoted;
    private string? problem;
    private long quoteLine; // the line in which the latest quoted cell opened
    private LineEnd? spanned; // the first line end inside the latest quoted cell that has any

    /// <summary>The separator of CSV with quotes; null if quotes have no meaning.</summary>
    public byte? Separator { get; set; }

    private bool HonorsQuotes => Separator is not null && !tooLong && problem is null;

    /// <returns>The next record, or null at the end.</returns>
    public async ValueTask<Record?> ReadRecord()
    {
        var first = line;
        (scanned, tooLong, quoted, problem, spanned) = (start, false, false, null, null);
        while (true)
        {
            if (FindEnd() is { } found) return EndRecord(first, found);
            if (ended && start == end && !tooLong) return null;
            if (ended || end - start == buffer.Length)
            {
                if (quoted && RejectQuote() is { } cut) return EndRecord(first, cut);
                if (ended) return EndRecord(first, new(end, end, line));
                (tooLong, spanned) = (true, null);
            }
            if (tooLong) start = scanned;
            if (start > 0) MoveDown();
            var read = await source.ReadAsync(buffer.AsMemory(end));
            (end, ended) = (end + read, read == 0);
        }
    }

    /// <summary>
    /// Continues after the line in which the record's last multi-line cell opened. For a record with the wrong number
    /// of cells: a stray quote may have joined lines that are records of their own.
    /// </summary>
    /// <returns>The line in which that cell opened; null if no cell spans lines.</returns>
    public long? GoBack()
    {
        if (spanned is not { } cut) return null;
        (start, line) = (cut.Next, cut.Line + 1);
        return cut.Line;
    }

    private Record EndRecord(long first, LineEnd at)
    {
        ReadOnlyMemory<byte>? text = buffer.AsMemory(start, at.Begin - start);
        if (tooLong || text.Value.Length > RecordBytesMax) text = null;
        start = at.Next;
        return new(first, text, problem);
    }

    // The end of the record; null if more bytes are needed.
    private LineEnd? FindEnd()
    {
        while (true)
        {
            var rest = buffer.AsSpan(scanned, end - scanned);
            var at = HonorsQuotes ? rest.IndexOfAny((byte)'\n', (byte)'\r', (byte)'"')
                : rest.IndexOfAny((byte)'\n', (byte)'\r');
            scanned = at < 0 ? end : scanned + at;
            if (scanned == end) return null;
            var isLast = scanned + 1 == end;
            if (isLast && !ended && buffer[scanned] != '\n') return null; // the next byte decides its meaning
            var next = isLast ? (byte)'\n' : buffer[scanned + 1];
            if (buffer[scanned] == '"')
            {
                if (ReadQuote(next) is { } cut) return cut;
                continue;
            }
            var found =
                new LineEnd(scanned, scanned + (!isLast && buffer[scanned] == '\r' && next == '\n' ? 2 : 1), line++);
            scanned = found.Next;
            if (!quoted) return found;
            if (spanned?.Line != quoteLine) spanned = found;
        }
    }

    private LineEnd? ReadQuote(byte next)
    {
        var closes = quoted && next != '"';
        if (!quoted)
        {
            if (scanned == start || buffer[scanned - 1] == Separator) (quoted, quoteLine) = (true, line);
        }
        else if (!closes) scanned++; // two of them are one in the cell
        scanned++;
        if (!closes) return null;
        if (next != Separator && next is not ((byte)'\n' or (byte)'\r')) return RejectQuote();
        quoted = false;
        return null;
    }

    // The latest quote opened no cell after all. The lines that it joined are separate again.
    private LineEnd? RejectQuote()
    {
        (quoted, problem) = (false,
            $"The quote that opens a cell in line {quoteLine} is not closed, or not at the cell's end.");
        if (spanned is not { } cut || cut.Line != quoteLine) return null;
        line = cut.Line + 1;
        return cut;
    }

    private void MoveDown()
    {
        buffer.AsSpan(start, end - start).CopyTo(buffer);
        if (spanned is { } at) spanned = new(at.Begin - start, at.Next - start, at.Line);
        (scanned, end, start) = (scanned - start, end - start, 0);
    }

    /// <param name="Begin">Where the line's text ends.</param>
    /// <param name="Next">Where the next line begins.</param>
    /// <param name="Line">The line that it ends.</param>
    private readonly record struct LineEnd(int Begin, int Next, long Line);
}
