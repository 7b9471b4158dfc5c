using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Segment;

/// <summary>
/// One message of Segment's specification: <c>messageId</c> is the event's id, <c>anonymousId</c> its fingerprint, or
/// <c>userId</c> where there is none, so that a visitor who logs in stays the same one. The action is what was tracked,
/// or the message's type.
/// </summary>
internal static class SegmentMessage
{
    // What a message says beside its properties or traits. An identify without its user would say nothing.
    private static readonly string[] SaidBeside = ["userId", "groupId", "previousId", "name", "category"];

    // Escaping what need not be escaped could make them too long.
    private static readonly JsonWriterOptions AsItWas = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="message">As it came.</param>
    /// <param name="type">Where the path tells it; in a batch each message does.</param>
    /// <param name="body">What it came in.</param>
    /// <returns>The event's fields, unchecked, or why the message has none.</returns>
    public static BatchItem Read(JsonElement message, string? type, SegmentBody body)
    {
        if (message.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedBody("A message is a JSON object."));
        try
        {
            type ??= TextOf(message, "type");
            if (type is null || !SegmentEndpoints.Types.Contains(type)) return new(null, Refusal.UnknownType());
            var fingerprint = TextOf(message, "anonymousId") ?? TextOf(message, "userId");
            return new(new()
            {
                Action = type == "track" ? TextOf(message, "event") : type,
                Product = body.Product,
                Fingerprint = fingerprint,
                Id = TextOf(message, "messageId"),
                Timestamp = Corrected(TextOf(message, "timestamp") ?? TextOf(message, "originalTimestamp"), body.Skew),
                Properties = PropertiesOf(message, type is "identify" or "group" ? "traits" : "properties", fingerprint),
            }, null);
        }
        catch (InvalidOperationException) // a \u escape that is half a surrogate pair
        {
            return new(null, Refusal.MalformedBody("A message has a text that is no Unicode."));
        }
    }

    /// <summary>A text or a number, which some write for ids; null where there is none or it is empty.</summary>
    public static string? TextOf(JsonElement message, string name) =>
        message.ValueKind != JsonValueKind.Object || !message.TryGetProperty(name, out var value) ? null
        : value.ValueKind == JsonValueKind.Number ? value.GetRawText()
        : value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text
        : null;

    // As Segment does: what counts is how long before the sending it was, whatever the sender's clock shows.
    private static string? Corrected(string? timestamp, TimeSpan? skew)
    {
        if (skew is not { } behind || !Rfc3339.TryParse(timestamp ?? "", out var time)) return timestamp;
        var ticks = time.UtcTicks + behind.Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? timestamp
            : new DateTime(ticks, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture);
    }

    private static string? PropertiesOf(JsonElement message, string name, string? fingerprint)
    {
        var has = message.TryGetProperty(name, out var properties) && properties.ValueKind != JsonValueKind.Null;
        if (has && properties.ValueKind != JsonValueKind.Object) return properties.GetRawText(); // to be refused
        var beside = SaidBeside.Where(field => TextOf(message, field) is { } text && text != fingerprint
            && !(has && properties.TryGetProperty(field, out _))).ToList();
        if (beside.Count == 0) return has ? properties.GetRawText() : null;

        using var written = new MemoryStream();
        using (var writer = new Utf8JsonWriter(written, AsItWas))
        {
            writer.WriteStartObject();
            if (has) foreach (var property in properties.EnumerateObject()) property.WriteTo(writer);
            foreach (var field in beside) writer.WriteString(field, TextOf(message, field));
            writer.WriteEndObject();
        }
        return Encoding.UTF8.GetString(written.ToArray());
    }
}
