using System.Text;
using System.Text.Json;
using nietras.SeparatedValues;
using Tally.Silo.Http.Exports;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>The columns of a CSV file, by its header, whose separator may be a comma, a semicolon or a tab.</summary>
internal sealed class CsvFields
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);
    private static readonly string[] Names = ["action", "product", "fingerprint", "id", "timestamp", "occurred", "created", "sequence", "properties"];

    private readonly SepReaderOptions format;
    private readonly string?[] columns;
    private readonly bool isExport;

    /// <exception cref="StartupException">The header has no column that every event needs, or one twice.</exception>
    public CsvFields(ReadOnlySpan<byte> header)
    {
        var text = Strict.GetString(header);
        format = Plain(Sep.Reader());
        using (var reader = format.FromText(text))
        {
            format = Plain(reader.Spec.Sep.Reader());
            columns = !reader.MoveNext() ? []
                : [.. CellsOf(reader.Current).Select(cell => Names.FirstOrDefault(name => name == cell.Trim()))];
        }
        isExport = columns.Contains("sequence") && columns.Contains("occurred"); // as no other file has them
        foreach (var name in Names)
        {
            var times = columns.Count(column => column == name);
            if (times > 1) throw new StartupException($"the header has the column {name} twice");
            if (times == 0 && name is "action" or "product" or "fingerprint")
                throw new StartupException($"the header has no column {name}; a CSV file's first line names its columns");
        }
    }

    /// <returns>The event, where an empty cell is a field that is not there.</returns>
    public Item Read(Record record, string id)
    {
        var text = record.Text!.Value.Span;
        if (text.Count((byte)'"') % 2 != 0) return Item.Malformed(record.Line, "A quote is not closed.");
        try
        {
            using var reader = format.FromText(Strict.GetString(text));
            if (!reader.MoveNext()) return Item.Malformed(record.Line, "There is nothing to read.");
            var row = reader.Current;
            if (row.ColCount != columns.Length)
                return Item.Malformed(record.Line, $"There are {row.ColCount} columns where the header has {columns.Length}.");
            var fields = new List<Field>(columns.Length);
            for (var i = 0; i < columns.Length; i++)
            {
                if (columns[i] is not { } name || row[i].ToString() is not { Length: > 0 } cell) continue;
                if (isExport) cell = CsvFormat.WithoutMark(cell);
                fields.Add(name == "properties" ? new(name, cell) : Field.OfText(name, cell));
            }
            return Item.Of(record.Line, fields, id);
        }
        catch (DecoderFallbackException)
        {
            return Item.Malformed(record.Line, "This is no UTF-8.");
        }
        catch (JsonException)
        {
            return Item.Malformed(record.Line, "The properties are no JSON.");
        }
    }

    private static SepReaderOptions Plain(SepReaderOptions options) =>
        options with { HasHeader = false, Unescape = true, DisableColCountCheck = true };

    private static List<string> CellsOf(SepReader.Row row)
    {
        var cells = new List<string>(row.ColCount);
        for (var i = 0; i < row.ColCount; i++) cells.Add(row[i].ToString());
        return cells;
    }
}
