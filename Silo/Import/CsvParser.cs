using System.Text;
using System.Text.Json;
using Tally.Silo.Http;
using Tally.Silo.Http.Exports;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// Parses the rows of a CSV file by the columns in its header. The separator is a comma, a semicolon or a tab. With
/// tabs, quotes have no meaning.
/// </summary>
internal sealed class CsvParser
{
    private readonly RecordReader records;
    private readonly char separator;
    private readonly FieldName?[] columns;
    private readonly bool isExport;

    /// <param name="header">The first line.</param>
    /// <param name="records">The reader of the rows; its separator is set here.</param>
    /// <exception cref="StartupException">A required column is missing, or there are several for one field.</exception>
    public CsvParser(ReadOnlySpan<byte> header, TimeChoice times, RecordReader records)
    {
        this.records = records;
        var text = Decode(header) ?? throw new StartupException("the header is not UTF-8");
        separator = ",;\t".MaxBy(candidate => CellsOf(text, candidate).Count);
        var names = CellsOf(text, separator).ConvertAll(cell => cell.Trim());
        columns = [.. names.Select(name => FieldName.Match(name, times.Name))];
        records.Separator = HasQuotes(separator) ? (byte)separator : null;
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
        if (record.Problem is { } problem) return Item.Malformed(record.Line, problem);
        if (Decode(record.Text!.Value.Span) is not { } text) return Item.Malformed(record.Line, "This is not UTF-8.");
        var cells = CellsOf(text, separator);
        if (cells.Count != columns.Length) return WrongCount(record.Line, cells.Count);
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

    private Item WrongCount(long line, int cells)
    {
        var joined = records.GoBack() is { } quote
            ? $", and a quote that opens a cell in line {quote} joins it with the next" : "";
        return Item.Malformed(line, $"There are {cells} columns where the header has {columns.Length}{joined}.");
    }

    private static string? Decode(ReadOnlySpan<byte> text)
    {
        try
        {
            return StrictUtf8.Encoding.GetString(text);
        }
        catch (DecoderFallbackException)
        {
            return null;
        }
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

    private static bool HasQuotes(char separator) => separator != '\t';

    private static List<string> CellsOf(string text, char separator)
    {
        var cells = new List<string>();
        for (var at = 0; ; at++) // skip the separator
        {
            var isQuoted = HasQuotes(separator) && at < text.Length && text[at] == '"';
            var end = isQuoted ? ClosingQuote(text, at + 1) : text.IndexOf(separator, at);
            if (end < 0) end = text.Length;
            cells.Add(isQuoted ? text[(at + 1)..end].Replace("\"\"", "\"") : text[at..end]);
            at = isQuoted ? text.IndexOf(separator, end) : end;
            if (at < 0 || at == text.Length) return cells;
        }
    }

    // Two quotes in a row are one quote of the cell's text.
    private static int ClosingQuote(string text, int from)
    {
        for (var at = from; (at = text.IndexOf('"', at)) >= 0; at += 2)
            if (at + 1 == text.Length || text[at + 1] != '"') return at;
        return -1;
    }
}
