using nietras.SeparatedValues;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// RFC 4180. A cell that a spreadsheet would take for a formula gets a ' before it, and so does a cell that begins
/// with '. Taking one ' off each cell that begins with it restores the text.
/// </summary>
internal sealed class CsvRows : IDisposable
{
    private const char Mark = '\'';

    private readonly SepWriter csv;

    public CsvRows(TextWriter text)
    {
        text.NewLine = "\r\n";
        csv = Sep.New(',').Writer(options => options with { WriteHeader = false, Escape = true }).To(text);
    }

    public void Write(params ReadOnlySpan<string> cells)
    {
        using (var row = csv.NewRow())
            for (var i = 0; i < cells.Length; i++) row[i].Set(Escape(cells[i]));
        csv.Flush();
    }

    public void Dispose() => csv.Dispose();

    /// <summary>The original text of a cell.</summary>
    public static string WithoutMark(string cell) => cell is [Mark, ..] ? cell[1..] : cell;

    private static string Escape(string cell) =>
        cell is ['=' or '+' or '-' or '@' or '\t' or '\r' or Mark, ..] ? Mark + cell : cell;
}
