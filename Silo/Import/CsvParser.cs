using System.Text;
using System.Text.Json;
using Tally.Silo.Http.Exports;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>Parses the rows of a CSV file by the columns in its header.</summary>
internal sealed class CsvParser
{
    private readonly CsvTable table;
    private readonly FieldName?[] columns;
    private readonly bool isExport;

    /// <param name="header">The first line.</param>
    /// <param name="records">The reader of the rows; its separator is set here.</param>
    /// <exception cref="StartupException">A required column is missing, or there are several for one field.</exception>
    public CsvParser(ReadOnlySpan<byte> header, TimeChoice times, RecordReader records)
    {
        table = new(header, records);
        var names = table.Names;
        columns = [.. names.Select(name => FieldName.Match(name, times.Name))];
        isExport = names.Contains("sequence") && names.Contains("occurred"); // the names in an export of Tally's
        foreach (var field in FieldName.Fields)
        {
            if (FieldName.Choose(columns, field, out var column) is { } ambiguous)
                throw new StartupException($"the header: {ambiguous}");
            if (column >= 0) continue;
            if (field is "action" or "product" or "fingerprint")
                throw new StartupException(
                    $"the header has no column {field}; a CSV file's first line names its columns");
            if (field == "timestamp" && !times.NowWhereMissing) throw new StartupException(
                times.Name is { } name ? $"the header has no column {name}"
                    : $"the header has no column for the time: {TimeChoice.Advice}");
        }
    }

    /// <returns>
    /// The event. An empty cell is a missing field, and so is the text that databases write for null: otherwise all
    /// such rows would have the same visitor, or the same id.
    /// </returns>
    public Item Parse(Record record, Func<string> id)
    {
        if (table.Parse(record, out var problem) is not { } cells) return Item.Malformed(record.Line, problem!);
        var fields = new List<Field>(columns.Length);
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i] is not { } name) continue;
            var cell = isExport ? CsvRows.WithoutMark(cells[i])
                : cells[i] is "NULL" or "null" or @"\N" ? "" : cells[i];
            if (cell.Length == 0) continue;
            if (name.Field == "properties" && !IsJson(cell))
                return Item.Malformed(record.Line, "The properties are not JSON.");
            fields.Add(new(name, name.Field == "properties" ? cell : Field.ToJson(cell)));
        }
        return Item.Create(record.Line, fields, id);
    }

    private static bool IsJson(string cell)
    {
        try
        {
            var reader =
                new Utf8JsonReader(Encoding.UTF8.GetBytes(cell),
                    new JsonReaderOptions { MaxDepth = NdjsonParser.DepthMax });
            return reader.Read() && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
