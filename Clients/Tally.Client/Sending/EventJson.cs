using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Tally.Client.Sending;

/// <summary>Writes an event as Tally reads it.</summary>
internal static class EventJson
{
    // What Tally itself answers to such an event.
    private const int Unprocessable = 422, TooLarge = 413;

    private static readonly JsonWriterOptions Compact = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Writes the JSON and a line end.</summary>
    /// <returns>Why Tally would not take it, or null.</returns>
    public static TallyRefusal? Write(TallyEvent tracked, string id, DateTimeOffset now, TallyOptions options,
        out byte[] line)
    {
        line = [];
        var buffer = new ArrayBufferWriter<byte>(256);
        try
        {
            var properties = tracked.Properties is { } given
                ? JsonSerializer.SerializeToElement(given, given.GetType(), options.Json) : default(JsonElement?);
            if (properties is { ValueKind: not JsonValueKind.Object })
                return new(Unprocessable, "invalid_properties", "The properties are not a JSON object.", "properties",
                    id, "");
            Write(buffer, tracked, id, now, options, properties);
        }
        catch (Exception exception) // whatever the program's own getters and converters throw
        {
            return new(Unprocessable, "invalid_properties", exception.Message, null, id, "");
        }
        if (buffer.WrittenCount > options.EventBytesMax)
            return new(TooLarge, "body_too_large", $"An event takes at most {options.EventBytesMax} bytes.", null, id,
                "");
        line = [.. buffer.WrittenSpan, (byte)'\n'];
        return null;
    }

    private static void Write(ArrayBufferWriter<byte> to, TallyEvent tracked, string id, DateTimeOffset now,
        TallyOptions options, JsonElement? properties)
    {
        using var json = new Utf8JsonWriter(to, Compact);
        json.WriteStartObject();
        json.WriteString("action", tracked.Action);
        if ((tracked.Product ?? options.Product) is { } product) json.WriteString("product", product);
        json.WriteString("fingerprint", tracked.Fingerprint);
        json.WriteString("id", id);
        json.WriteString("timestamp", (tracked.Timestamp ?? now).UtcDateTime);
        if (properties is { } given)
        {
            json.WritePropertyName("properties");
            given.WriteTo(json); // on one line, whatever the program's options say
        }
        json.WriteEndObject();
    }
}
