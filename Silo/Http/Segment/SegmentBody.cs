using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using Tally.Contracts;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Segment;

/// <summary>The body of an SDK's request: one message, or a batch of them.</summary>
internal sealed class SegmentBody(byte[] json, string product)
{
    private static readonly string[] Names = ["writeKey", "sentAt", "batch"];

    private JsonMember batch;

    public ReadOnlySpan<byte> Json => json;

    public string Product => product;

    /// <summary>When it was sent, by its sender's clock; null if it does not say.</summary>
    public string? SentAt { get; private init; }

    /// <summary>Whether its sender's key may send events of any age.</summary>
    public bool IsHistory { get; private init; }

    /// <summary>
    /// Reads the body as JSON. One SDK sends no content type, and others send text/plain, which needs no preflight.
    /// </summary>
    public static async ValueTask<(SegmentBody? Body, Refusal? Refusal)> Read(
        HttpRequest request, Limits limits, LargeBodyLimiter bodies)
    {
        if (request.ContentType is not null
            && RequestBody.MediaTypeOf(request) is not ("application/json" or "text/plain")
            || request.Headers.ContentEncoding.Count > 0)
            return (null, Refusal.UnsupportedMediaType("application/json or text/plain"));
        var (bytes, refusal) = await RequestBody.ReadWhole(request, limits.BatchBodyBytesMax, bodies);
        if (refusal is not null) return (null, refusal);
        var json = RequestBody.WithoutByteOrderMark(bytes).ToArray();
        request.BodyReader.AdvanceTo(bytes.End);
        return Parse(request, json);
    }

    /// <summary>Parses JSON that is a body, and authorizes the request.</summary>
    public static (SegmentBody? Body, Refusal? Refusal) Parse(HttpRequest request, byte[] json)
    {
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Find(json, Names, members) is { } malformed) return (null, malformed);
        try
        {
            if (FindProduct(request, members[0].TextIn(json), out var product) is { } refusal) return (null, refusal);
            return (new(json, product!)
            {
                SentAt = members[1].TextIn(json),
                IsHistory = request.HttpContext.Key() is { MayWriteHistory: true },
                batch = members[2],
            }, null);
        }
        catch (DecoderFallbackException)
        {
            return (null, Refusal.MalformedBody("The JSON is not in UTF-8."));
        }
    }

    /// <summary>Finds a batch's messages in its JSON; null if it has none, or more than the maximum.</summary>
    public (List<Range>? Messages, bool TooMany) FindMessages(int max) =>
        JsonItems.Find(json, batch, max);

    // Many SDKs send the write key only in the body. If no keys are set, it is a product's name that anyone may choose.
    private static Refusal? FindProduct(HttpRequest request, string? inBody, out string? product)
    {
        product = null;
        if (request.HttpContext.RefusesToWrite(inBody) is { } refusal) return refusal;
        product = request.HttpContext.Key() is { } key ? key.Product : UserOf(request.Headers.Authorization) ?? inBody;
        return product is not null ? null
            : request.HttpContext.Key() is null ? Refusal.MissingField("writeKey") : Refusal.NoProduct();
    }

    private static string? UserOf(string? authorization) =>
        AuthenticationHeaderValue.TryParse(authorization, out var header)
            && header.Scheme.Equals("Basic", StringComparison.OrdinalIgnoreCase)
            ? BasicCredentials.UserOf(header.Parameter) : null;
}
