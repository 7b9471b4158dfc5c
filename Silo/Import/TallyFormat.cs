using Tally.Silo.Import.Tools;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// Tally's own files, and those that are like them: CSV or NDJSON, by the file's name or else by the first record.
/// </summary>
internal sealed class TallyFormat : ToolFormat
{
    private readonly RowIds ids = new();
    private readonly NdjsonParser json;
    private readonly CsvParser? csv;
    private bool anyParsed;

    /// <param name="first">The first record that is not blank.</param>
    /// <param name="records">The reader of those after it.</param>
    /// <exception cref="StartupException">The whole file cannot be parsed.</exception>
    public TallyFormat(Record first, RecordReader records, string name, TimeChoice times)
    {
        json = new(times);
        if (IsJsonByName(name) ?? (first.Text is { } text && ToolFormats.IsJson(text.Span))) return;
        var header = first.Text ?? throw new StartupException(ToolFormats.FirstTooLong);
        csv = new(header.Span, times, records);
        ids.SetHeader(header.Span);
    }

    public override bool HasHeader => csv is not null;

    /// <exception cref="StartupException">The whole file cannot be parsed.</exception>
    public override IEnumerable<Item> Parse(Record record)
    {
        var text = record.Text!.Value;
        var item = csv is null ? json.Parse(record, text.Span, Id) : csv.Parse(record, Id);
        if (item.IsAmbiguous && !anyParsed) throw new StartupException($"line {item.Line}: {item.Problem}");
        anyParsed |= item.Json is not null;
        return [item];

        string Id() => ids.Create(text.Span);
    }

    private static bool? IsJsonByName(string name)
    {
        var plain = name.EndsWith(".gz", StringComparison.OrdinalIgnoreCase) ? name[..^3] : name;
        return Path.GetExtension(plain).ToUpperInvariant() switch
        {
            ".CSV" or ".TSV" => false,
            ".NDJSON" or ".JSONL" => true,
            _ => null,
        };
    }
}
