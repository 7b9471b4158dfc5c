using System.Text.Json;
using Parquet;
using Parquet.Serialization;
using Tally.Silo.Storage;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// GA4's export to BigQuery as Parquet. A row group is in memory at a time. A Parquet file is read from its end, so it
/// cannot come through a pipe.
/// </summary>
internal static class Ga4Parquet
{
    private static readonly string[] Required = ["event_name", "event_timestamp"];

    /// <summary>How a Parquet file begins, and ends.</summary>
    public static ReadOnlySpan<byte> Magic => "PAR1"u8;

    /// <summary>Whether a file is Parquet. It is read from its beginning again afterwards.</summary>
    public static bool Is(Stream source)
    {
        if (!source.CanSeek) return false;
        Span<byte> begin = stackalloc byte[4];
        try
        {
            var read = source.ReadAtLeast(begin, begin.Length, throwOnEndOfStream: false);
            source.Position = 0;
            return begin[..read].SequenceEqual(Magic);
        }
        catch (IOException)
        {
            return false; // whoever reads it says so
        }
    }

    /// <exception cref="StartupException">The file is not GA4's, or cannot be read.</exception>
    public static async IAsyncEnumerable<Item> Read(Stream source, ToolSettings settings)
    {
        var mapping = new Ga4Mapping(settings);
        var (groups, columns) = await Guarded(async () =>
        {
            await using var file = await ParquetReader.CreateAsync(source, leaveStreamOpen: true);
            return (file.RowGroupCount, file.Schema.Fields.Select(field => field.Name).ToList());
        });
        if (settings.Format == ToolFormats.Tally || !Required.All(columns.Contains))
            throw new StartupException(
                "this Parquet file is not GA4's export; of Tally's own, import NDJSON or CSV");
        var line = 0L;
        for (var group = 0; group < groups; group++)
        {
            source.Position = 0;
            var index = group;
            var rows = await Guarded(() => ParquetSerializer.DeserializeUntypedAsync(source, rowGroupIndex: index));
            foreach (var row in rows.Data) yield return mapping.Parse(++line, ToJson(row));
        }
    }

    private static JsonElement ToJson(object row)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json)) Write(writer, row);
        return JsonElement.Parse(json.ToArray());
    }

    private static void Write(Utf8JsonWriter writer, object? value)
    {
        switch (value)
        {
            case string text: writer.WriteStringValue(text); break;
            case ReadOnlyMemory<char> text: writer.WriteStringValue(text.Span); break;
            case bool truth: writer.WriteBooleanValue(truth); break;
            case int number: writer.WriteNumberValue(number); break;
            case long number: writer.WriteNumberValue(number); break;
            case double number when double.IsFinite(number): writer.WriteNumberValue(number); break;
            case float number when float.IsFinite(number): writer.WriteNumberValue(number); break;
            case System.Collections.IDictionary members:
                writer.WriteStartObject();
                foreach (System.Collections.DictionaryEntry member in members)
                {
                    writer.WritePropertyName($"{member.Key}");
                    Write(writer, member.Value);
                }
                writer.WriteEndObject();
                break;
            case byte[]: writer.WriteNullValue(); break;
            case System.Collections.IEnumerable elements:
                writer.WriteStartArray();
                foreach (var element in elements) Write(writer, element);
                writer.WriteEndArray();
                break;
            default: writer.WriteNullValue(); break; // nothing that an event has
        }
    }

    // The library has no exception of its own for every fault of a file.
    private static async Task<T> Guarded<T>(Func<Task<T>> read)
    {
        try
        {
            return await read();
        }
        catch (Exception exception) when (exception is not OutOfMemoryException)
        {
            throw new StartupException($"cannot be read as Parquet: {exception.Message}", exception);
        }
    }
}
