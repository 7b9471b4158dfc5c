using System.Text;
using Tally.Silo.Http;
using Tally.Silo.Storage;

namespace Tally.Silo.Import;

/// <summary>
/// The rows of a CSV file, by the columns in its header. The separator is a comma, a semicolon or a tab. With tabs,
/// quotes have no meaning.
/// </summary>
internal sealed class CsvTable
{
    private readonly RecordReader records;
    private readonly char separator;

    /// <param name="header">The first line.</param>
    /// <param name="records">The reader of the rows; its separator is set here.</param>
    /// <exception cref="StartupException">The header is no text.</exception>
    public CsvTable(ReadOnlySpan<byte> header, RecordReader records)
    {
        this.records = records;
        var text = Decode(header) ?? throw new StartupException("the header is not UTF-8");
        separator = SeparatorOf(text);
        Names = NamesIn(text);
        records.Separator = HasQuotes(separator) ? (byte)separator : null;
    }

    /// <summary>The columns' names.</summary>
    public List<string> Names { get; }

    /// <summary>The names in a text that may be a header.</summary>
    public static List<string> NamesIn(string text) =>
        CellsOf(text, SeparatorOf(text)).ConvertAll(cell => cell.Trim());

    /// <returns>The row's cells; null if there is a problem.</returns>
    public List<string>? Parse(Record record, out string? problem)
    {
        problem = record.Problem;
        if (problem is not null) return null;
        if (Decode(record.Text!.Value.Span) is not { } text)
        {
            problem = "This is not UTF-8.";
            return null;
        }
        var cells = CellsOf(text, separator);
        if (cells.Count == Names.Count) return cells;
        problem = WrongCount(cells.Count);
        return null;
    }

    private string WrongCount(int cells)
    {
        var joined = records.GoBack() is { } quote
            ? $", and a quote that opens a cell in line {quote} joins it with the next" : "";
        return $"There are {cells} columns where the header has {Names.Count}{joined}.";
    }

    /// <returns>Null if it is not UTF-8.</returns>
    public static string? Decode(ReadOnlySpan<byte> text)
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

    private static char SeparatorOf(string header) =>
        ",;\t".MaxBy(candidate => CellsOf(header, candidate).Count);

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
