using System.Text;
using System.Text.Json;
using Tally.Silo.Http.Exports;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// The columns of a CSV file, by its header, whose separator may be a comma, a semicolon or a tab. Between tabs a quote is a
/// character like any other.
/// </summary>
internal sealed class CsvFields
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly RecordReader records;
    private readonly char separator;
    private readonly FieldName?[] columns;
    private readonly bool isExport;

    /// <param name="header">The first line.</param>
    /// <param name="times">Where the events have their times.</param>
    /// <param name="records">What follows; told what a quote is.</param>
    /// <exception cref="StartupException">The header has no column that every event needs, or several for one thing.</exception>
    public CsvFields(ReadOnlySpan<byte> header, TimeChoice times, RecordReader records)
    {
        this.records = records;
        var text = Decoded(header) ?? throw new StartupException("the header is no UTF-8");
        separator = ",;\t".MaxBy(candidate => CellsOf(text, candidate).Count);
        var names = CellsOf(text, separator).ConvertAll(cell => cell.Trim());
        columns = [.. names.Select(name => FieldName.Of(name, times.Name))];
        records.Separator = HasQuotes(separator) ? (byte)separator : null;
        isExport = names.Contains("sequence") && names.Contains("occurred"); // as no other file has them
        foreach (var field in FieldName.Fields)
        {
            if (FieldName.Choose(columns, field, out var column) is { } ambiguous) throw new StartupException($"the header: {ambiguous}");
            if (column >= 0) continue;
            if (field is "action" or "product" or "fingerprint")
                throw new StartupException($"the header has no column {field}; a CSV file's first line names its columns");
            if (field == "timestamp" && !times.NowWhereMissing) throw new StartupException(
                times.Name is { } name ? $"the header has no column {name}" : $"the header has no column for the time: {TimeChoice.Advice}");
        }
    }

    /// <returns>
    /// The event, where an empty cell is a field that is not there. So is what databases write for null: taken for text it would
    /// be one visitor, or one event, of all such rows.
    /// </returns>
    public Item Read(Record record, Func<string> id)
    {
        if (record.Problem is { } problem) return Item.Malformed(record.Line, problem);
        if (Decoded(record.Text!.Value.Span) is not { } text) return Item.Malformed(record.Line, "This is no UTF-8.");
        var cells = CellsOf(text, separator);
        if (cells.Count != columns.Length) return WrongCount(record.Line, cells.Count);
        var fields = new List<Field>(columns.Length);
        for (var i = 0; i < columns.Length; i++)
        {
            if (columns[i] is not { } name) continue;
            var cell = isExport ? CsvFormat.WithoutMark(cells[i]) : cells[i] is "NULL" or "null" or @"\N" ? "" : cells[i];
            if (cell.Length == 0) continue;
            if (name.Field == "properties" && !IsJson(cell)) return Item.Malformed(record.Line, "The properties are no JSON.");
            fields.Add(new(name, name.Field == "properties" ? cell : Field.OfText(cell)));
        }
        return Item.Of(record.Line, fields, id);
    }

    private Item WrongCount(long line, int cells)
    {
        var joined = records.GoBack() is { } quote ? $", and a quote that opens a cell in line {quote} joins it with the next" : "";
        return Item.Malformed(line, $"There are {cells} columns where the header has {columns.Length}{joined}.");
    }

    private static string? Decoded(ReadOnlySpan<byte> text)
    {
        try
        {
            return Strict.GetString(text);
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
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(cell), new JsonReaderOptions { MaxDepth = JsonFields.DepthMax });
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
        for (var at = 0; ; at++) // over the separator
        {
            var isQuoted = HasQuotes(separator) && at < text.Length && text[at] == '"';
            var end = isQuoted ? ClosingQuote(text, at + 1) : text.IndexOf(separator, at);
            if (end < 0) end = text.Length;
            cells.Add(isQuoted ? text[(at + 1)..end].Replace("\"\"", "\"") : text[at..end]);
            at = isQuoted ? text.IndexOf(separator, end) : end;
            if (at < 0 || at == text.Length) return cells;
        }
    }

    // Two quotes are one of the cell's text.
    private static int ClosingQuote(string text, int from)
    {
        for (var at = from; (at = text.IndexOf('"', at)) >= 0; at += 2)
            if (at + 1 == text.Length || text[at + 1] != '"') return at;
        return -1;
    }
}
