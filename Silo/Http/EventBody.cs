using System.Buffers;
using System.IO.Pipelines;
using System.Text.Json;
using Microsoft.Net.Http.Headers;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>Reads the one event of a request: its body, its content type, and its idempotency key.</summary>
internal static class EventBody
{
    private const string IdempotencyKey = "Idempotency-Key";

    /// <returns>The fields as they came, or why there are none.</returns>
    public static async ValueTask<(EventFields Fields, Refusal? Refusal)> Read(HttpRequest request, Limits limits)
    {
        var fields = new EventFields();
        var kind = KindOf(request);
        if (kind == Kind.Unsupported) return (fields, Refusal.UnsupportedMediaType());
        if (request.ContentLength > limits.EventBodyBytesMax) return (fields, Refusal.BodyTooLarge(limits.EventBodyBytesMax));

        ReadResult read;
        try
        {
            read = await ReadWhole(request.BodyReader, limits.EventBodyBytesMax, request.HttpContext.RequestAborted);
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException) // or the client is gone
        {
            return (fields, exception is BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout }
                ? Refusal.BodyTooSlow()
                : Refusal.MalformedBody("The body ended early or is not framed as HTTP asks."));
        }
        if (read.Buffer.Length > limits.EventBodyBytesMax)
        {
            request.BodyReader.AdvanceTo(read.Buffer.End); // so that the server can drain what follows
            return (fields, Refusal.BodyTooLarge(limits.EventBodyBytesMax));
        }

        var refusal = kind == Kind.Form ? ReadForm(read.Buffer, fields) : ReadJson(read.Buffer, ref fields);
        request.BodyReader.AdvanceTo(read.Buffer.End);
        return (fields, refusal ?? AddHeaderId(request, fields));
    }

    private enum Kind { Unsupported, Form, Json }

    private static Kind KindOf(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) return Kind.Unsupported;
        // What nearly every client sends, without parsing.
        if (request.ContentType == "application/x-www-form-urlencoded") return Kind.Form;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return Kind.Unsupported;
        if (type.Charset.HasValue && !type.Charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase)
            && !type.Charset.Equals("\"utf-8\"", StringComparison.OrdinalIgnoreCase)) return Kind.Unsupported;
        return type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) ? Kind.Form
            : type.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) ? Kind.Json
            : Kind.Unsupported;
    }

    private static async ValueTask<ReadResult> ReadWhole(PipeReader body, int bytesMax, CancellationToken cancellation)
    {
        while (true)
        {
            var read = await body.ReadAsync(cancellation);
            if (read.IsCompleted || read.Buffer.Length > bytesMax) return read;
            body.AdvanceTo(read.Buffer.Start, read.Buffer.End);
        }
    }

    private static Refusal? ReadForm(ReadOnlySequence<byte> body, EventFields fields) =>
        FormFields.Read(body.IsSingleSegment ? body.FirstSpan : body.ToArray(), fields);

    private static Refusal? ReadJson(ReadOnlySequence<byte> body, ref EventFields fields)
    {
        try
        {
            var reader = new Utf8JsonReader(body);
            var read = JsonSerializer.Deserialize(ref reader, HttpJson.Default.EventFields);
            if (read is null || reader.Read()) return Refusal.MalformedBody("The body is not one JSON object.");
            fields = read;
            return null;
        }
        // The second: a \u escape that is half a surrogate pair.
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            return Refusal.MalformedBody("The body is not a JSON object with text fields, each given once.");
        }
    }

    private static Refusal? AddHeaderId(HttpRequest request, EventFields fields)
    {
        var header = request.Headers[IdempotencyKey];
        if (header.Count == 0) return null;
        if (header.Count > 1) return Refusal.DuplicateField(IdempotencyKey);
        var key = header.ToString();
        if (fields.Id is not null && fields.Id != key) return Refusal.IdMismatch();
        fields.Id = key;
        return null;
    }
}
