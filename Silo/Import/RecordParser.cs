using Tally.Silo.Import.Tools;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>Parses a file's records: CSV or NDJSON, by the file's name or else by the first record.</summary>
internal sealed class RecordParser(RecordReader records, string name, TimeChoice times)
{
    private readonly RowIds ids = new();
    private readonly NdjsonParser json = new(times);
    private CsvParser? csv;
    private bool begun, anyParsed;

    /// <summary>Whether <see cref="SourceText.NoCharacter"/> stands for invalid characters.</summary>
    public bool IsTranscoded { get; init; }

    /// <returns>Null for a blank line or a header.</returns>
    /// <exception cref="StartupException">The whole file cannot be parsed.</exception>
    public Item? Parse(Record record)
    {
        if (record.Text is { } blank && !blank.Span.ContainsAnyExcept(" \t"u8)) return null;
        var isFirst = !begun;
        begun = true;
        if (record.Text is not { } text)
            return isFirst && IsCsvByName() != false
                ? throw new StartupException(ToolFormats.FirstTooLong)
                : Item.Malformed(record.Line, $"The line is longer than {RecordReader.RecordBytesMax} bytes.");
        if (isFirst && (IsCsvByName() ?? text.Span.TrimStart(" \t"u8) is not [(byte)'{', ..]))
        {
            csv = new(text.Span, times, records);
            ids.SetHeader(text.Span);
            return null;
        }
        if (IsTranscoded && text.Span.IndexOf(SourceText.NoCharacter) >= 0)
            return Item.Malformed(record.Line, "This is not UTF-16 or UTF-32.");
        var item = csv is null ? json.Parse(record, text.Span, Id) : csv.Parse(record, Id);
        if (item is { IsAmbiguous: true } && !anyParsed)
            throw new StartupException($"line {item.Line}: {item.Problem}");
        anyParsed |= item.Json is not null;
        return item;

        string Id() => ids.Create(text.Span);
    }

    private bool? IsCsvByName()
    {
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return Path.GetExtension(plain).ToUpperInvariant() switch
        {
            ".CSV" or ".TSV" => true,
            ".NDJSON" or ".JSONL" => false,
            _ => null,
        };
    }
}
