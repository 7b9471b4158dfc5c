using System.Buffers;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>What the bodies of all ways in have in common.</summary>
internal static class RequestBody
{
    private const string IdempotencyKey = "Idempotency-Key";

    // The labels of UTF-8 and of ASCII, which is a part of it (https://encoding.spec.whatwg.org/#names-and-labels).
    private static readonly string[] Charsets =
        ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8", "us-ascii", "ascii", "ansi_x3.4-1968", "iso-ir-6", "iso646-us"];

    private static ReadOnlySpan<byte> Mark => [0xEF, 0xBB, 0xBF];

    /// <summary>In lower case; null where the body is not in UTF-8, or is encoded in a way that was not decoded before.</summary>
    public static string? MediaTypeOf(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) return null;
        // What nearly every client sends, without parsing.
        if (request.ContentType is "application/x-www-form-urlencoded" or "application/json") return request.ContentType;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return null;
        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (type.Charset.HasValue && !Charsets.Any(known => charset.Equals(known, StringComparison.OrdinalIgnoreCase))) return null;
        return type.MediaType.ToString().ToLowerInvariant();
    }

    /// <summary>The same behind a byte order mark, which some clients begin with.</summary>
    public static ReadOnlySequence<byte> WithoutMark(ReadOnlySequence<byte> body)
    {
        Span<byte> begin = stackalloc byte[3];
        if (body.Length < begin.Length) return body;
        body.Slice(0, begin.Length).CopyTo(begin);
        return begin.SequenceEqual(Mark) ? body.Slice(begin.Length) : body;
    }

    /// <summary>What a form never begins with.</summary>
    public static bool LooksLikeJson(ReadOnlySpan<byte> body) => body.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] or [(byte)'[', ..];

    /// <summary>Reads a body that is taken whole.</summary>
    /// <param name="request">Whose body.</param>
    /// <param name="bytesMax">At the most.</param>
    /// <param name="room">Where a large one has to wait; it keeps its place until the request ends.</param>
    /// <returns>Its bytes, past whose end the reader is to be advanced, or why there are none.</returns>
    public static async ValueTask<(ReadOnlySequence<byte> Bytes, Refusal? Refusal)> ReadWhole(HttpRequest request, int bytesMax, BodyRoom room)
    {
        if (request.ContentLength > bytesMax) return (default, Refusal.BodyTooLarge(bytesMax));
        CancellationTokenSource? late = null; // once it has room
        try
        {
            while (true)
            {
                var read = await request.BodyReader.ReadAsync(); // ends with the connection; a token for that would be made first
                if (read.Buffer.Length > bytesMax)
                {
                    request.BodyReader.AdvanceTo(read.Buffer.End); // so that the server can drain what follows
                    return (default, Refusal.BodyTooLarge(bytesMax));
                }
                if (late is { IsCancellationRequested: true }) // the server cancels a read too, when it begins to stop
                {
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                    return (default, Refusal.BodyTooSlow());
                }
                if (late is null && room.IsNeededFor(read.Buffer.Length))
                {
                    late = await room.Acquire(request, (int?)request.ContentLength ?? bytesMax);
                    if (late is null)
                    {
                        request.BodyReader.AdvanceTo(read.Buffer.End);
                        return (default, Refusal.Overloaded());
                    }
                }
                if (read.IsCompleted) return (read.Buffer, null);
                request.BodyReader.AdvanceTo(read.Buffer.Start, read.Buffer.End);
            }
        }
        catch (Exception exception) when (IsFailure(exception))
        {
            return (default, RefusalOf(exception, bytesMax));
        }
        finally
        {
            late?.Dispose();
        }
    }

    /// <summary>Reading failed: the client broke off, or what it sent cannot be read.</summary>
    public static bool IsFailure(Exception exception) => exception is IOException or OperationCanceledException
        or InvalidDataException or InvalidOperationException; // the decoders' own two

    public static Refusal RefusalOf(Exception failure, int bytesMax) => failure switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Refusal.BodyTooSlow(),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Refusal.BodyTooLarge(bytesMax),
        InvalidDataException or InvalidOperationException => Refusal.MalformedBody("The body is not encoded as Content-Encoding says."),
        _ => Refusal.MalformedBody("The body ended early or is not framed as HTTP asks."),
    };

    /// <summary>
    /// The header's key, null where there is none, or why it is refused. The IETF's draft has quotation marks around it, which are
    /// not part of the key; most clients have none.
    /// </summary>
    public static Refusal? ReadIdempotencyKey(HttpRequest request, out string? key)
    {
        var header = request.Headers[IdempotencyKey];
        key = header.Count == 0 ? null : StructuredText.Read(header.ToString());
        return header.Count > 1 ? Refusal.DuplicateField(IdempotencyKey) : null;
    }
}
