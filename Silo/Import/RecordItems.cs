using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>Makes events of records. The first one says whether they are CSV, where the file's name does not.</summary>
/// <param name="records">Where they come from.</param>
/// <param name="name">The file's.</param>
/// <param name="times">Where the events have their times.</param>
internal sealed class RecordItems(RecordReader records, string name, TimeChoice times)
{
    private readonly RowIds ids = new();
    private readonly JsonFields json = new(times);
    private CsvFields? csv;
    private bool begun, anyGood;

    /// <summary>Whether what was no character is <see cref="SourceText.NoCharacter"/> now.</summary>
    public bool IsTranscoded { get; init; }

    /// <returns>Null where the record is no event's: a blank line, or a header.</returns>
    /// <exception cref="StartupException">Nothing of the file can be read like that.</exception>
    public Item? Of(Record record)
    {
        if (record.Text is { } blank && !blank.Span.ContainsAnyExcept(" \t"u8)) return null;
        var isFirst = !begun;
        begun = true;
        if (record.Text is not { } text)
            return isFirst && IsCsvByName() != false ? throw new StartupException($"the first line is longer than {RecordReader.RecordBytesMax} bytes")
                : Item.Malformed(record.Line, $"The line is longer than {RecordReader.RecordBytesMax} bytes.");
        if (isFirst && (IsCsvByName() ?? text.Span.TrimStart(" \t"u8) is not [(byte)'{', ..]))
        {
            csv = new(text.Span, times, records);
            ids.SetHeader(text.Span);
            return null;
        }
        if (IsTranscoded && text.Span.IndexOf(SourceText.NoCharacter) >= 0) return Item.Malformed(record.Line, "This is no UTF-16 or UTF-32.");
        var item = csv is null ? json.Read(record, text.Span, Id) : csv.Read(record, Id);
        if (item is { IsAmbiguous: true } && !anyGood) throw new StartupException($"line {item.Line}: {item.Problem}");
        anyGood |= item.Json is not null;
        return item;

        string Id() => ids.Next(text.Span);
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
