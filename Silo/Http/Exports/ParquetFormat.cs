using System.Runtime.CompilerServices;
using Parquet;
using Parquet.Meta;
using Parquet.Schema;
using Tally.Contracts;
using Tally.Grains.EventLog;
using ParquetType = Parquet.Meta.Type;

namespace Tally.Silo.Http.Exports;

/// <summary>Parquet, compressed inside with Snappy, which every reader knows. Times are UTC microseconds, properties JSON text.</summary>
/// <param name="buffer">Where a row group is written to when it is full.</param>
/// <param name="limits">When that is.</param>
internal sealed class ParquetFormat(ExportBuffer buffer, Limits limits) : ExportFormat
{
    private static readonly DataField<string> Fingerprint = new("fingerprint", nullable: false);
    private static readonly DataField<long> Sequence = new("sequence");
    private static readonly DataField<string> Id = new("id", nullable: false);
    private static readonly DataField<string> Action = new("action", nullable: false);
    private static readonly DataField<string> Product = new("product", nullable: false);
    private static readonly DateTimeDataField Created = Micros("created");
    private static readonly DateTimeDataField Occurred = Micros("occurred");
    private static readonly DataField<string> Properties = new("properties", nullable: true);
    private static readonly ParquetSchema Schema = new(Fingerprint, Sequence, Id, Action, Product, Created, Occurred, Properties);

    private readonly List<RecordedEvent> rows = [];
    private long characters;
    private ParquetWriter? file;

    public override async ValueTask Write(RecordedEvent row)
    {
        rows.Add(row);
        characters += row.Fingerprint.Length + row.Event.Action.Length + row.Event.Product.Length + (row.Event.Properties?.Length ?? 0);
        if (rows.Count >= limits.ExportRowGroupEventsMax || characters >= limits.ExportRowGroupCharactersMax) await WriteGroup();
    }

    public override async ValueTask End()
    {
        file ??= await Begin();
        if (rows.Count > 0) await WriteGroup();
        await file.DisposeAsync(); // writes the footer, without which a file is none
    }

    // The library's only way to close a file is to write its end, which one that broke off must not have.
    public override void Dispose() => rows.Clear();

    private async Task WriteGroup()
    {
        file ??= await Begin();
        using (var group = file.CreateRowGroup())
        {
            await group.WriteAsync(Fingerprint, Column(row => row.Fingerprint));
            await group.WriteAsync<long>(Sequence, Column(row => row.Sequence));
            await group.WriteAsync(Id, Column(row => row.Event.Id.ToString()));
            await group.WriteAsync(Action, Column(row => row.Event.Action));
            await group.WriteAsync(Product, Column(row => row.Event.Product));
            await group.WriteAsync<DateTime>(Created, Column(row => row.Event.Created));
            await group.WriteAsync<DateTime>(Occurred, Column(row => row.Event.Occurred));
            await group.WriteAsync(Properties, Column(row => row.Event.Properties));
            group.CompleteValidate();
            ForgetTextStatistics(group);
        }
        rows.Clear();
        characters = 0;
    }

    private T[] Column<T>(Func<RecordedEvent, T> value)
    {
        var column = new T[rows.Count];
        for (var i = 0; i < column.Length; i++) column[i] = value(rows[i]);
        return column;
    }

    private Task<ParquetWriter> Begin()
    {
        var options = new ParquetOptions { CompressionMethod = CompressionMethod.Snappy };
        // Each of many values that come again and again; an id never does.
        foreach (var name in (string[])["fingerprint", "action", "product"]) options.ColumnEncodingHints[name] = EncodingHint.Dictionary;
        return ParquetWriter.CreateAsync(Schema, buffer, options);
    }

    private static DateTimeDataField Micros(string name) =>
        new(name, DateTimeFormat.Timestamp, isAdjustedToUTC: true, unit: DateTimeTimeUnit.Micros, isNullable: false);

    // The library finds a column's least and greatest text in the order of UTF-16, where readers skip groups by the order of
    // UTF-8: so one that asks for an emoji could miss it. Without them it looks.
    private static void ForgetTextStatistics(ParquetRowGroupWriter group)
    {
        foreach (var column in RowGroupOf(group).Columns)
            if (column.MetaData is { Type: ParquetType.BYTE_ARRAY } text) text.Statistics = null;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "_owGroup")]
    private static extern ref RowGroup RowGroupOf(ParquetRowGroupWriter group);
}
