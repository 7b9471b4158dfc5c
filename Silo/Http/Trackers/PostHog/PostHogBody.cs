using System.Buffers;
using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Compression;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.PostHog;

/// <summary>The body of an SDK's request: one event, an array of them, or an object with a batch.</summary>
internal sealed class PostHogBody(byte[] json)
{
    private const string Form = "application/x-www-form-urlencoded", Data = "data";

    private static readonly string[] Names = ["api_key", "token", "batch", "sent_at", "properties"];
    private static readonly string[] TokenName = ["token"];

    public byte[] Json => json;

    /// <summary>The project's: the SDKs put it into the body or into each event's properties.</summary>
    public string? Token { get; private set; }

    /// <summary>When it was sent, by its sender's clock; null if it does not say.</summary>
    public string? SentAt { get; private set; }

    /// <summary>Where the events are in the JSON.</summary>
    public List<Range> Events { get; private set; } = [];

    public bool IsBatch { get; private set; }

    /// <summary>
    /// Reads a body in any form that the SDKs send: JSON, also in base64 in a form's <c>data</c>. It may be packed with
    /// gzip, which not all of them say. It is unpacked while it is read, so its limit is that of unpacked bytes.
    /// </summary>
    public static async ValueTask<(PostHogBody? Body, Refusal? Refusal)> Read(HttpRequest request, TrackerIntake intake)
    {
        var limits = intake.Limits;
        if (await Unpack(request, limits) is { } broken) return (null, broken);
        var (body, unread) = await intake.ReadBody(request, limits.BatchBodyBytesMax, "application/json", "text/plain",
            Form, "application/octet-stream");
        if (body is null) return (null, unread);
        if (body.AsSpan().StartsWith("data="u8))
        {
            if (FormPairs.Parse(body, out var pairs) is { } malformed) return (null, malformed);
            body = FromForm(pairs.GetValueOrDefault(Data, ""), limits);
            if (body is null) return (null, Refusal.MalformedBody("The field data is neither JSON nor base64."));
        }
        var parsed = new PostHogBody(body);
        return parsed.Parse(limits) is { } refusal ? (null, refusal) : (parsed, null);
    }

    // The first bytes tell, whatever the headers and the query say.
    private static async ValueTask<Refusal?> Unpack(HttpRequest request, Limits limits)
    {
        try
        {
            var read = await request.BodyReader.ReadAtLeastAsync(2, request.HttpContext.RequestAborted);
            var isGzip = read.Buffer.Length >= 2 && IsGzip(read.Buffer.Slice(0, 2));
            request.BodyReader.AdvanceTo(read.Buffer.Start);
            if (!isGzip) return null;
            // the server completes its reader itself, and before this stream is disposed
            request.Body = new WholeGzipStream(request.BodyReader.AsStream(leaveOpen: true));
            request.ContentLength = null; // it says nothing of what is unpacked
            return null;
        }
        catch (Exception exception) when (RequestBody.IsFailure(exception))
        {
            return RequestBody.RefusalOf(exception, limits.BatchBodyBytesMax);
        }
    }

    private static bool IsGzip(ReadOnlySequence<byte> begin)
    {
        Span<byte> first = stackalloc byte[2];
        begin.CopyTo(first);
        return first is [0x1F, 0x8B];
    }

    private static byte[]? FromForm(string data, Limits limits) =>
        data is ['{' or '[', ..] ? Encoding.UTF8.GetBytes(data) : LenientBase64.Decode(data, limits.BatchBodyBytesMax);

    private Refusal? Parse(Limits limits)
    {
        try
        {
            if (json.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'[', ..]) return ParseBatch(.., limits);
            Span<JsonMember> members = stackalloc JsonMember[Names.Length];
            members.Clear();
            if (JsonMembers.Find(json, Names, members) is { } malformed) return malformed;
            Token = members[0].TextIn(json) ?? members[1].TextIn(json) ?? TokenIn(members[4].ValueIn(json));
            SentAt = members[3].TextIn(json);
            if (members[2].Kind == JsonTokenType.StartArray)
                return ParseBatch(members[2].Start..(members[2].Start + members[2].Length), limits);
            Events = [new(0, json.Length)];
            return null;
        }
        catch (DecoderFallbackException)
        {
            return Refusal.MalformedBody("The JSON is not in UTF-8.");
        }
    }

    private Refusal? ParseBatch(Range place, Limits limits)
    {
        IsBatch = true;
        var (items, tooMany) = JsonItems.Find(json, place, limits.BatchBodyEventsMax);
        if (items is null)
            return tooMany ? Refusal.BatchTooLarge(limits) : Refusal.MalformedBody("The batch is not a JSON array.");
        Events = items;
        if (Token is null && Events is [var first, ..]) Token = TokenOf(json.AsSpan(first));
        return null;
    }

    private static string? TokenOf(ReadOnlySpan<byte> @event)
    {
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Find(@event, Names, members) is not null) return null;
        return members[0].TextIn(@event) ?? members[1].TextIn(@event) ?? TokenIn(members[4].ValueIn(@event));
    }

    private static string? TokenIn(ReadOnlySpan<byte> properties)
    {
        Span<JsonMember> members = stackalloc JsonMember[TokenName.Length];
        members.Clear();
        return JsonMembers.Find(properties, TokenName, members) is null ? members[0].TextIn(properties) : null;
    }
}
