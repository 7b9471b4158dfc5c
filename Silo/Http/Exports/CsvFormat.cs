using System.Globalization;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Exports;

/// <summary>CSV with a header.</summary>
internal sealed class CsvFormat : ExportFormat
{
    private readonly CsvRows csv;

    public CsvFormat(ExportBuffer buffer)
    {
        csv = new(new StreamWriter(buffer));
        csv.Write(Columns);
    }

    public override ValueTask Write(RecordedEvent row)
    {
        var e = row.Event;
        csv.Write(
            row.Fingerprint, row.Sequence.ToString(CultureInfo.InvariantCulture), e.Id.ToString(), e.Action, e.Product,
            Text(e.Created), Text(e.Occurred), e.Properties ?? "");
        return ValueTask.CompletedTask;
    }

    public override ValueTask End() => ValueTask.CompletedTask;

    public override void Dispose() => csv.Dispose();
}
