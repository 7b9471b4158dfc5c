using System.Buffers;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Access;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Segment;

/// <summary>What an SDK sends: one message, or a batch of them.</summary>
/// <param name="json">The whole of it.</param>
/// <param name="product">The write key's.</param>
internal sealed class SegmentBody(byte[] json, string product)
{
    private static readonly string[] Names = ["writeKey", "sentAt", "batch"];

    private JsonMember batch;

    public ReadOnlySpan<byte> Json => json;

    public string Product => product;

    /// <summary>When it was sent by its sender's clock, where it says so.</summary>
    public string? SentAt { get; private init; }

    /// <summary>Whether its sender's key may send events as old as they like.</summary>
    public bool IsHistory { get; private init; }

    /// <summary>
    /// Reads the body as JSON whatever its content type says: one SDK sends none, and others call it text/plain, which needs no
    /// preflight.
    /// </summary>
    public static async ValueTask<(SegmentBody? Body, Refusal? Refusal)> Read(HttpRequest request, Limits limits, BodyRoom room)
    {
        if (request.ContentType is not null && RequestBody.MediaTypeOf(request) is not ("application/json" or "text/plain")
            || request.Headers.ContentEncoding.Count > 0)
            return (null, Refusal.UnsupportedMediaType("application/json or text/plain"));
        var (bytes, refusal) = await RequestBody.ReadWhole(request, limits.BatchBodyBytesMax, room);
        if (refusal is not null) return (null, refusal);
        var json = RequestBody.WithoutMark(bytes).ToArray();
        request.BodyReader.AdvanceTo(bytes.End);
        return Read(request, json);
    }

    /// <summary>The same of JSON that came in another way.</summary>
    public static (SegmentBody? Body, Refusal? Refusal) Read(HttpRequest request, byte[] json)
    {
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Read(json, Names, members) is { } malformed) return (null, malformed);
        try
        {
            if (ReadProduct(request, members[0].TextOf(json), out var product) is { } notAllowed) return (null, notAllowed);
            return (new(json, product!)
            {
                SentAt = members[1].TextOf(json),
                IsHistory = request.HttpContext.Key() is { MayWriteHistory: true },
                batch = members[2],
            }, null);
        }
        catch (DecoderFallbackException)
        {
            return (null, Refusal.MalformedBody("The JSON is not in UTF-8."));
        }
    }

    /// <summary>Where the messages of a batch stand in its JSON; null where it has none, or more than <paramref name="max"/>.</summary>
    public (List<Range>? Messages, bool TooMany) FindMessages(int max)
    {
        if (batch.Kind != JsonTokenType.StartArray) return (null, false);
        var messages = new List<Range>();
        var reader = new Utf8JsonReader(batch.Of(json), isFinalBlock: true, new(new() { MaxDepth = JsonMembers.AnyDepth }));
        reader.Read();
        while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
        {
            if (messages.Count == max) return (null, true);
            var start = batch.Start + (int)reader.TokenStartIndex;
            reader.Skip();
            messages.Add(start..(batch.Start + (int)reader.BytesConsumed));
        }
        return (messages, false);
    }

    // Many SDKs send the write key in the body alone. Where no keys are set it is a name that anyone may choose.
    private static Refusal? ReadProduct(HttpRequest request, string? inBody, out string? product)
    {
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
