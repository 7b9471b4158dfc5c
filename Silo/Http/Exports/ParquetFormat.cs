using System.Text;
using Parquet;
using Parquet.Schema;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Exports;

/// <summary>
/// Parquet, compressed inside with Snappy, which every reader knows. Times are UTC microseconds, properties JSON text.
/// </summary>
internal sealed class ParquetFormat(ExportBuffer buffer, Limits limits) : ExportFormat
{
    // What readers see.
    private static readonly ParquetSchema Schema = new(
        new DataField<string>("fingerprint", nullable: false), new DataField<long>("sequence"),
        new DataField<string>("id", nullable: false),
        new DataField<string>("action", nullable: false), new DataField<string>("product", nullable: false),
        Microseconds("created"), Microseconds("occurred"), new DataField<string>("properties", nullable: true));

    // The same columns in their physical types. Readers skip row groups by the statistics that the library writes, and
    // those are wrong for text (ordered as UTF-16, not UTF-8) and for times (in milliseconds). It writes none for
    // bytes, and right ones for numbers.
    private static readonly ParquetSchema Physical = new(
        Bytes("fingerprint"), new DataField<long>("sequence"), Bytes("id"), Bytes("action"), Bytes("product"),
        new DataField<long>("created"), new DataField<long>("occurred"), Bytes("properties", nullable: true));

    private readonly List<RecordedEvent> rows = [];
    private long characters;
    private ParquetWriter? file;

    public override async ValueTask Write(RecordedEvent row)
    {
        rows.Add(row);
        characters += row.Fingerprint.Length + row.Event.Action.Length + row.Event.Product.Length
            + (row.Event.Properties?.Length ?? 0);
        if (rows.Count >= limits.ExportRowGroupEventsMax || characters >= limits.ExportRowGroupCharactersMax)
            await WriteGroup();
    }

    public override async ValueTask End()
    {
        file ??= await Begin();
        if (rows.Count > 0) await WriteGroup();
        await file.DisposeAsync(); // writes the footer, without which a file is none
    }

    // The library closes a file by writing its footer, which a file that broke off must not have.
    public override void Dispose() => rows.Clear();

    private async Task WriteGroup()
    {
        file ??= await Begin();
        using (var group = file.CreateRowGroup())
        {
            await WriteText(group, 0, row => row.Fingerprint);
            await WriteNumbers(group, 1, row => row.Sequence);
            await WriteText(group, 2, row => row.Event.Id.ToString());
            await WriteText(group, 3, row => row.Event.Action);
            await WriteText(group, 4, row => row.Event.Product);
            await WriteNumbers(group, 5, row => Microseconds(row.Event.Created));
            await WriteNumbers(group, 6, row => Microseconds(row.Event.Occurred));
            await WriteText(group, 7, row => row.Event.Properties);
            group.CompleteValidate();
        }
        rows.Clear();
        characters = 0;
    }

    private Task WriteText(ParquetRowGroupWriter group, int column, Func<RecordedEvent, string?> value) =>
        group.WriteAsync(Physical.DataFields[column],
            rows.ConvertAll(row => value(row) is { } text ? Encoding.UTF8.GetBytes(text) : null));

    private Task WriteNumbers(ParquetRowGroupWriter group, int column, Func<RecordedEvent, long> value) =>
        group.WriteAsync<long>(Physical.DataFields[column], rows.ConvertAll(row => value(row)).ToArray());

    private Task<ParquetWriter> Begin() =>
        ParquetWriter.CreateAsync(Schema, buffer, new() { CompressionMethod = CompressionMethod.Snappy });

    private static DataField<byte[]> Bytes(string name, bool nullable = false) => new(name, nullable);

    private static DateTimeDataField Microseconds(string name) =>
        new(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: false);

    private static long Microseconds(DateTime time) => (time - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;
}
