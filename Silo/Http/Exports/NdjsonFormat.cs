using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Exports;

/// <summary>One JSON object a line, with the API's names. Missing properties are left out.</summary>
internal sealed class NdjsonFormat(ExportBuffer buffer) : ExportFormat
{
    // Never shown in a page, so non-ASCII text stays readable and half as long.
    private readonly Utf8JsonWriter json =
        new((IBufferWriter<byte>)buffer,
            new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });

    public override ValueTask Write(RecordedEvent row)
    {
        var e = row.Event;
        json.Reset();
        json.WriteStartObject();
        json.WriteString("fingerprint", row.Fingerprint);
        json.WriteNumber("sequence", row.Sequence);
        json.WriteString("id", e.Id);
        json.WriteString("action", e.Action);
        json.WriteString("product", e.Product);
        json.WriteString("created", Text(e.Created));
        json.WriteString("occurred", Text(e.Occurred));
        if (e.Properties is { } properties)
        {
            json.WritePropertyName("properties");
            json.WriteRawValue(OnOneLine(properties), skipInputValidation: true);
        }
        json.WriteEndObject();
        json.Flush();
        buffer.Write("\n"u8);
        return ValueTask.CompletedTask;
    }

    public override ValueTask End() => ValueTask.CompletedTask;

    public override void Dispose() => json.Dispose();

    // In JSON a line end stands only between tokens, where a space means the same.
    private static string OnOneLine(string properties) =>
        properties.AsSpan().ContainsAny('\n', '\r') ? properties.Replace('\n', ' ').Replace('\r', ' ') : properties;
}
