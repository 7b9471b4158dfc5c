using System.Buffers;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>Reading a request's body, whatever is in it.</summary>
internal static class RequestBody
{
    // The labels of UTF-8 and of ASCII, its subset (https://encoding.spec.whatwg.org/#names-and-labels).
    private static readonly string[] Charsets =
        ["utf-8", "utf8", "unicode-1-1-utf-8", "unicode11utf8", "unicode20utf8", "x-unicode20utf8", "us-ascii", "ascii",
            "ansi_x3.4-1968", "iso-ir-6", "iso646-us"];

    private static ReadOnlySpan<byte> ByteOrderMark => [0xEF, 0xBB, 0xBF];

    /// <summary>The media type in lower case; null if the charset or the Content-Encoding is not supported.</summary>
    public static string? MediaTypeOf(HttpRequest request)
    {
        if (request.Headers.ContentEncoding.Count > 0) return null;
        // Nearly every client sends these: no parsing.
        if (request.ContentType is "application/x-www-form-urlencoded" or "application/json")
            return request.ContentType;
        if (!MediaTypeHeaderValue.TryParse(request.ContentType, out var type)) return null;
        var charset = HeaderUtilities.RemoveQuotes(type.Charset);
        if (type.Charset.HasValue && !Charsets.Any(known => charset.Equals(known, StringComparison.OrdinalIgnoreCase)))
            return null;
        return type.MediaType.ToString().ToLowerInvariant();
    }

    /// <summary>The body after its byte order mark, which some clients send.</summary>
    public static ReadOnlySequence<byte> WithoutByteOrderMark(ReadOnlySequence<byte> body)
    {
        Span<byte> begin = stackalloc byte[3];
        if (body.Length < begin.Length) return body;
        body.Slice(0, begin.Length).CopyTo(begin);
        return begin.SequenceEqual(ByteOrderMark) ? body.Slice(begin.Length) : body;
    }

    /// <summary>Whether a body begins as no form does.</summary>
    public static bool LooksLikeJson(ReadOnlySpan<byte> body) =>
        body.TrimStart(" \t\r\n"u8) is [(byte)'{', ..] or [(byte)'[', ..];

    /// <summary>Reads the whole body.</summary>
    /// <param name="request">Its reader must be advanced beyond the bytes that this returns.</param>
    /// <returns>The body's bytes, or why there are none.</returns>
    public static async ValueTask<(ReadOnlySequence<byte> Bytes, Refusal? Refusal)> ReadWhole(
        HttpRequest request, int bytesMax, LargeBodyLimiter bodies)
    {
        if (request.ContentLength > bytesMax) return (default, Refusal.BodyTooLarge(bytesMax));
        CancellationTokenSource? late = null; // set once a large body is admitted
        try
        {
            while (true)
            {
                var read = await request.BodyReader.ReadAsync(); // a token would cost an allocation
                if (read.Buffer.Length > bytesMax)
                {
                    request.BodyReader.AdvanceTo(read.Buffer.End); // lets the server drain the rest
                    return (default, Refusal.BodyTooLarge(bytesMax));
                }
                if (late is { IsCancellationRequested: true }) // the server cancels a read too, when it begins to stop
                {
                    request.BodyReader.AdvanceTo(read.Buffer.End);
                    return (default, Refusal.BodyTooSlow());
                }
                if (late is null && bodies.IsLarge(read.Buffer.Length))
                {
                    late = await bodies.Acquire(request, (int?)request.ContentLength ?? bytesMax);
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

    /// <summary>Whether reading failed because the client broke off or sent something unreadable.</summary>
    public static bool IsFailure(Exception exception) => exception is IOException or OperationCanceledException
        or InvalidDataException or InvalidOperationException; // the last two are the decoders'

    public static Refusal RefusalOf(Exception failure, int bytesMax) => failure switch
    {
        BadHttpRequestException { StatusCode: StatusCodes.Status408RequestTimeout } => Refusal.BodyTooSlow(),
        BadHttpRequestException { StatusCode: StatusCodes.Status413PayloadTooLarge } => Refusal.BodyTooLarge(bytesMax),
        InvalidDataException or InvalidOperationException =>
            Refusal.MalformedBody("The body is not encoded as Content-Encoding says."),
        _ => Refusal.MalformedBody("The body ended early or is not framed as HTTP asks."),
    };
}
