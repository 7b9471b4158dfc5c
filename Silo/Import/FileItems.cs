using Tally.Silo.Import.Tools;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// The events of a file: NDJSON or CSV, by its name or else by its content, or another tool's export.
/// </summary>
internal static class FileItems
{
    // After so many events without a time, and none with one, no time will be found.
    private const int EventsWithoutTimeMax = 100;

    /// <param name="tool">What is known if it is another tool's export.</param>
    /// <exception cref="StartupException">The file cannot be read, or not any further.</exception>
    public static async IAsyncEnumerable<Item> Read(
        Stream source, string name, TimeChoice times, ToolSettings? tool = null)
    {
        tool ??= new();
        if (tool.Format == ToolFormats.Plausible) throw new StartupException(PlausibleExport.Refusal);
        var (text, isTranscoded) = await Guarded(() => SourceText.Open(source));
        var records = new RecordReader(
            new JsonArrayStream(text, tool.Format is ToolFormats.Matomo or ToolFormats.Ga4 or ToolFormats.PostHog));
        if (await Guarded(() => ReadFirst(records)) is not { } first) yield break;
        var format = ToolFormats.Find(tool, first, records);
        var items = ReadRecords(records, first, format ?? new TallyFormat(first, records, name, times), isTranscoded);
        if (format is null && !times.NowWhereMissing) items = RefuseUntimed(items);
        await foreach (var item in items) yield return item;
    }

    private static async IAsyncEnumerable<Item> ReadRecords(
        RecordReader records, Record first, ToolFormat format, bool isTranscoded)
    {
        var isHeader = format.HasHeader;
        for (Record? next = first; next is { } record; next = await Guarded(records.ReadRecord))
        {
            if (isHeader) isHeader = false;
            else if (record.Text is not { } text)
                yield return Item.Malformed(record.Line,
                    $"The line is longer than {RecordReader.RecordBytesMax} bytes.");
            else if (IsBlank(text.Span)) continue;
            else if (isTranscoded && text.Span.IndexOf(SourceText.NoCharacter) >= 0)
                yield return Item.Malformed(record.Line, "This is not UTF-16 or UTF-32.");
            else foreach (var item in format.Parse(record)) yield return item;
        }
    }

    // The events before the first with a time wait for it: if none has one, the file is refused.
    private static async IAsyncEnumerable<Item> RefuseUntimed(IAsyncEnumerable<Item> items)
    {
        var untimed = new List<long>();
        var isTimed = false;
        await foreach (var item in items)
        {
            if (item.HasTime && !isTimed)
            {
                isTimed = true;
                foreach (var line in untimed) yield return Item.WithoutTime(line);
            }
            if (item.Json is null || item.HasTime) yield return item;
            else if (isTimed) yield return Item.WithoutTime(item.Line);
            else
            {
                untimed.Add(item.Line);
                if (untimed.Count == EventsWithoutTimeMax) break;
            }
        }
        if (!isTimed && untimed is [var unknown, ..])
            throw new StartupException($"no event has a time, from line {unknown} on: {TimeChoice.Advice}");
    }

    private static async ValueTask<Record?> ReadFirst(RecordReader records)
    {
        while (await records.ReadRecord() is { } record)
            if (record.Text is not { } text || !IsBlank(text.Span)) return record;
        return null;
    }

    private static bool IsBlank(ReadOnlySpan<byte> text) => !text.ContainsAnyExcept(" \t"u8);

    private static async ValueTask<T> Guarded<T>(Func<ValueTask<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception)
            when (exception is InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new StartupException($"cannot be read to its end: {exception.Message}", exception);
        }
    }
}
