using System.Globalization;
using nietras.SeparatedValues;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// RFC 4180 with a header. A cell that a spreadsheet would take for a formula gets a ' before it, and so does a cell
/// that begins with '. Taking one ' off each cell that begins with it restores the text.
/// </summary>
internal sealed class CsvFormat : ExportFormat
{
    private const char Mark = '\'';

    private readonly StreamWriter text;
    private readonly SepWriter csv;

    public CsvFormat(ExportBuffer buffer)
    {
        text = new(buffer) { NewLine = "\r\n" };
        csv = Sep.New(',').Writer(options => options with { WriteHeader = false, Escape = true }).To(text);
        WriteRow(Columns);
    }

    public override ValueTask Write(RecordedEvent row)
    {
        var e = row.Event;
        WriteRow(
            row.Fingerprint, row.Sequence.ToString(CultureInfo.InvariantCulture), e.Id.ToString(), e.Action, e.Product,
            Text(e.Created), Text(e.Occurred), e.Properties ?? "");
        return ValueTask.CompletedTask;
    }

    public override ValueTask End() => ValueTask.CompletedTask;

    public override void Dispose() => csv.Dispose();

    private void WriteRow(params ReadOnlySpan<string> cells)
    {
        using (var row = csv.NewRow())
            for (var i = 0; i < cells.Length; i++) row[i].Set(Escape(cells[i]));
        csv.Flush();
    }

    /// <summary>The original text of a cell.</summary>
    public static string WithoutMark(string cell) => cell is [Mark, ..] ? cell[1..] : cell;

    private static string Escape(string cell) =>
        cell is ['=' or '+' or '-' or '@' or '\t' or '\r' or Mark, ..] ? Mark + cell : cell;
}
