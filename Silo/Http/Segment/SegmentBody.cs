using System.Buffers;
using System.Net.Http.Headers;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Segment;

/// <summary>What an SDK sends.</summary>
/// <param name="Json">One message, or a batch of them.</param>
/// <param name="Product">The write key's.</param>
/// <param name="Skew">How far the sender's clock is behind, with the way here; null where it does not say.</param>
internal sealed record SegmentBody(JsonElement Json, string Product, TimeSpan? Skew)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    public static async ValueTask<(SegmentBody? Body, Refusal? Refusal)> Read(
        HttpRequest request, Limits limits, TimeProvider clock)
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
            if (ReadProduct(request, json, out var product) is { } notAllowed) return (null, notAllowed);
            var tellsTime = Rfc3339.TryParse(SegmentMessage.TextOf(json, "sentAt") ?? "", out var sentAt);
            return (new(json, product!, tellsTime ? clock.GetUtcNow() - sentAt : null), null);
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

    // Older SDKs send the write key in the body alone. Where no keys are set it is a name that anyone may choose.
    private static Refusal? ReadProduct(HttpRequest request, JsonElement json, out string? product)
    {
        var inBody = SegmentMessage.TextOf(json, "writeKey");
        product = null;
        if (request.HttpContext.RefusesToWrite(inBody) is { } refusal) return refusal;
        product = request.HttpContext.Key() is { } key ? key.Product : UserOf(request.Headers.Authorization) ?? inBody;
        return product is not null ? null
            : request.HttpContext.Key() is null ? Refusal.MissingField("writeKey") : Refusal.NoProduct();
    }

    private static string? UserOf(string? authorization) =>
        AuthenticationHeaderValue.TryParse(authorization, out var header) && header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            ? BasicCredentials.UserOf(header.Parameter) : null;
}
