using System.Buffers;
using Tally.Contracts;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http;

/// <summary>Reads the one event of a request: its body, its content type, and its idempotency key.</summary>
internal static class EventBody
{
    private const string Form = "application/x-www-form-urlencoded";
    private const string Multipart = "multipart/form-data";
    private const string Page = "text/plain"; // what navigator.sendBeacon makes of a string, and needs no preflight

    /// <returns>The fields as they came, or why there are none.</returns>
    public static async ValueTask<(EventFields Fields, Refusal? Refusal)> Read(HttpRequest request, Limits limits, BodyRoom room)
    {
        var fields = new EventFields();
        var mediaType = RequestBody.MediaTypeOf(request);
        if (mediaType is not (Form or Multipart or "application/json" or Page))
            return (fields, Refusal.UnsupportedMediaType($"{Form}, {Multipart}, application/json or {Page}"));
        var (bytes, unread) = await RequestBody.ReadWhole(request, limits.EventBodyBytesMax, room);
        if (unread is not null) return (fields, unread);

        var content = RequestBody.WithoutMark(bytes);
        var refusal = mediaType switch
        {
            Form => FormFields.Read(content.IsSingleSegment ? content.FirstSpan : content.ToArray(), fields),
            Multipart => await MultipartFields.Read(content, request.ContentType!, fields),
            _ => ReadJson(content, ref fields),
        };
        if (mediaType == Page)
        {
            fields.CountsOnArrival = true; // nobody can correct a visitor's clock
            fields.IsHistory = request.HttpContext.Key() is { MayWriteHistory: true };
        }
        request.BodyReader.AdvanceTo(bytes.End);
        return (fields, refusal ?? AddHeaderId(request, fields));
    }

    private static Refusal? ReadJson(ReadOnlySequence<byte> body, ref EventFields fields)
    {
        var refusal = EventJson.Read(body, out var read);
        fields = read ?? fields;
        return refusal;
    }

    private static Refusal? AddHeaderId(HttpRequest request, EventFields fields)
    {
        if (RequestBody.ReadIdempotencyKey(request, out var key) is { } refusal) return refusal;
        if (key is "") return Refusal.MissingField("id"); // who sends it means to be safe, and would not be
        if (key is not null && fields.Id is not null && fields.Id != key) return Refusal.IdMismatch();
        fields.Id ??= key;
        return null;
    }
}
