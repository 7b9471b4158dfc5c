using System.Buffers;
using System.Text.Json;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>Reads the one event of a request: its body, its content type, and its idempotency key.</summary>
internal static class EventBody
{
    /// <returns>The fields as they came, or why there are none.</returns>
    public static async ValueTask<(EventFields Fields, Refusal? Refusal)> Read(HttpRequest request, Limits limits)
    {
        var fields = new EventFields();
        var mediaType = RequestBody.MediaTypeOf(request);
        var isForm = mediaType == "application/x-www-form-urlencoded";
        // The last is what navigator.sendBeacon makes of a string.
        if (!isForm && mediaType is not ("application/json" or "text/plain"))
            return (fields, Refusal.UnsupportedMediaType("application/x-www-form-urlencoded, application/json or text/plain"));
        var (bytes, unread) = await RequestBody.ReadWhole(request, limits.EventBodyBytesMax);
        if (unread is not null) return (fields, unread);

        var refusal = isForm ? ReadForm(bytes, fields) : ReadJson(bytes, ref fields);
        request.BodyReader.AdvanceTo(bytes.End);
        return (fields, refusal ?? AddHeaderId(request, fields));
    }

    private static Refusal? ReadForm(ReadOnlySequence<byte> body, EventFields fields) =>
        FormFields.Read(body.IsSingleSegment ? body.FirstSpan : body.ToArray(), fields);

    private static Refusal? ReadJson(ReadOnlySequence<byte> body, ref EventFields fields)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            if (ReadObject(ref reader, out var read) is { } refusal) return refusal;
            if (reader.Read()) return Refusal.MalformedEvent();
            fields = read!;
            return null;
        }
        catch (JsonException)
        {
            return Refusal.MalformedEvent();
        }
    }

    /// <summary>The next JSON value, which has to be an event's.</summary>
    /// <exception cref="JsonException">What follows the value is no JSON.</exception>
    public static Refusal? ReadObject(ref Utf8JsonReader reader, out EventFields? fields)
    {
        fields = null;
        try
        {
            fields = JsonSerializer.Deserialize(ref reader, HttpJson.Default.EventFields);
        }
        // The second: a \u escape that is half a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // refused below
        }
        return fields is null ? Refusal.MalformedEvent() : null;
    }

    private static Refusal? AddHeaderId(HttpRequest request, EventFields fields)
    {
        if (RequestBody.ReadIdempotencyKey(request, out var key) is { } refusal) return refusal;
        if (key is not null && fields.Id is not null && fields.Id != key) return Refusal.IdMismatch();
        fields.Id ??= key;
        return null;
    }
}
