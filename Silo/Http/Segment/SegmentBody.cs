using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tally.Contracts;

namespace Tally.Silo.Http.Segment;

/// <summary>What an SDK sends.</summary>
/// <param name="Json">One message, or a batch of them.</param>
/// <param name="Product">The write key's.</param>
/// <param name="Skew">How far the sender's clock is behind, with the way here; null where it does not say.</param>
internal sealed record SegmentBody(JsonElement Json, string Product, TimeSpan? Skew)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static async ValueTask<(SegmentBody? Body, Refusal? Refusal)> Read(HttpRequest request, Limits limits, TimeProvider clock)
    {
        // SDKs for browsers call it text/plain, which needs no preflight.
        if (RequestBody.MediaTypeOf(request) is not ("application/json" or "text/plain"))
            return (null, Refusal.UnsupportedMediaType("application/json or text/plain"));
        var (bytes, refusal) = await RequestBody.ReadWhole(request, limits.BatchBodyBytesMax);
        if (refusal is not null) return (null, refusal);
        try
        {
            var json = JsonElement.Parse(bytes.ToArray(), Strict);
            if (json.ValueKind != JsonValueKind.Object) return (null, Refusal.MalformedBody("The body is no JSON object."));
            if (ProductOf(request, json) is not { } product) return (null, Refusal.MissingField("writeKey"));
            TimeSpan? skew = Rfc3339.TryParse(SegmentMessage.TextOf(json, "sentAt") ?? "", out var sentAt) ? clock.GetUtcNow() - sentAt : null;
            return (new(json, product, skew), null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // or half a surrogate pair
        {
            return (null, Refusal.MalformedBody("The body is no JSON object, or has a field twice."));
        }
        finally
        {
            request.BodyReader.AdvanceTo(bytes.End);
        }
    }

    // Without keys the write key is a name that anyone may choose, and older SDKs send it in the body alone.
    private static string? ProductOf(HttpRequest request, JsonElement json) =>
        UserOf(request.Headers.Authorization) ?? SegmentMessage.TextOf(json, "writeKey");

    private static string? UserOf(string? authorization)
    {
        if (!AuthenticationHeaderValue.TryParse(authorization, out var header)
            || !header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)) return null;
        var decoded = new byte[header.Parameter?.Length ?? 0];
        return Convert.TryFromBase64String(header.Parameter ?? "", decoded, out var length)
            ? Encoding.UTF8.GetString(decoded, 0, length).Split(':')[0] : null;
    }
}
