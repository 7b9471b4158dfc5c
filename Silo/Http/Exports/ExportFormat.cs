using System.Globalization;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Exports;

/// <summary>Writes rows into a buffer, which the caller sends now and then.</summary>
internal abstract class ExportFormat : IDisposable
{
    public const string Ndjson = "ndjson";
    public const string Csv = "csv";
    public const string Parquet = "parquet";

    public static readonly string[] Names = [Ndjson, Csv, Parquet];

    /// <summary>The names and the order of the log's columns.</summary>
    public static readonly string[] Columns = ["fingerprint", "sequence", "id", "action", "product", "created",
        "occurred", "properties"];

    public static ExportFormat Create(string name, ExportBuffer buffer, Limits limits) => name switch
    {
        Ndjson => new NdjsonFormat(buffer),
        Csv => new CsvFormat(buffer),
        Parquet => new ParquetFormat(buffer, limits),
        _ => throw new ArgumentOutOfRangeException(nameof(name)),
    };

    public static string ContentTypeOf(string name) => name switch
    {
        Ndjson => "application/x-ndjson",
        Csv => "text/csv; charset=utf-8; header=present",
        _ => "application/vnd.apache.parquet",
    };

    public abstract ValueTask Write(RecordedEvent row);

    /// <summary>Writes what is left, and the file's end.</summary>
    public abstract ValueTask End();

    public abstract void Dispose();

    /// <summary>RFC 3339, always with microseconds: sorted as text, times are in order.</summary>
    protected static string Text(DateTime time) =>
        time.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture);
}
