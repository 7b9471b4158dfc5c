using System.Buffers.Text;
using System.Collections.Frozen;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>
/// Gives a problem document to requests that Kestrel refuses before the program sees them, because it cannot read their
/// head. Kestrel answers them with a status and no body, and has no setting for it. So this looks at the bytes that it
/// sends, and completes such an answer. The request may have been HEAD, but the connection ends with this answer:
/// nobody mistakes the body for another one.
/// </summary>
internal static class UnreadRequests
{
    // Enough for an answer's head and its document. The pipe's segments have 4 KB.
    private const int RoomMin = 1024;
    private const int EmptyAnswerBytesMin = 64, EmptyAnswerBytesMax = 256;

    private static readonly FrozenDictionary<int, byte[]> Documents = ((Refusal[])
    [
        new(400, "The request cannot be read", "malformed_request",
            "The first line, a header or the framing of the body is not as HTTP asks, or Host is missing."),
        new(405, "The method is not allowed", "method_not_allowed",
            "This server takes neither CONNECT nor a method for itself as a whole."),
        new(408, "The request came too slowly", "head_too_slow", "The head of the request did not arrive in time."),
        new(411, "The length is missing", "length_required",
            "A body needs Content-Length or Transfer-Encoding: chunked."),
        new(413, "The body is too large", "body_too_large", "The body is larger than anything that is taken here."),
        new(414, "The path is too long", "path_too_long", "The first line of a request takes at most 8 KiB."),
        new(431, "The head is too large", "head_too_large", "A request takes at most 100 headers and 32 KiB of them."),
        new(505, "The version is not supported", "unsupported_version", "Send HTTP/1.1 or HTTP/1.0."),
    ]).ToFrozenDictionary(refusal => refusal.Status,
        refusal => JsonSerializer.SerializeToUtf8Bytes(refusal, HttpJson.Default.Refusal));

    public static void ExplainUnreadRequests(this ListenOptions listen) => listen.Use(next => connection =>
    {
        connection.Transport = new ExplainedPipe(connection.Transport);
        return next(connection);
    });

    /// <summary>Adds the document to an answer, in place.</summary>
    /// <param name="room">The buffer: what the server has written, and free space after it.</param>
    /// <returns>How many bytes there are now: more only for a refusal without a body.</returns>
    internal static int Explain(Span<byte> room, int length)
    {
        if (length is < EmptyAnswerBytesMin or > EmptyAnswerBytesMax || !room.StartsWith("HTTP/1.1 "u8)
            || room[9] is not ((byte)'4' or (byte)'5')) return length;
        var answer = room[..length];
        if (!answer.EndsWith("\r\n\r\n"u8) || answer.IndexOf("\r\nConnection: close\r\n"u8) < 0) return length;
        var noBody = "\r\nContent-Length: 0\r\n"u8;
        if (answer.IndexOf(noBody) is not (> 0 and var at) || !Utf8Parser.TryParse(answer[9..12], out int status, out _)
            || !Documents.TryGetValue(status, out var document)) return length;

        var inserted =
            Encoding.ASCII.GetBytes(
                $"\r\nContent-Length: {document.Length}\r\nContent-Type: application/problem+json\r\n");
        var rest = answer[(at + noBody.Length)..];
        var end = at + inserted.Length + rest.Length;
        if (end + document.Length > room.Length) return length;
        rest.CopyTo(room[(at + inserted.Length)..]);
        inserted.CopyTo(room[at..]);
        document.CopyTo(room[end..]);
        return end + document.Length;
    }

    private sealed class ExplainedPipe(IDuplexPipe inner) : IDuplexPipe
    {
        public PipeReader Input => inner.Input;

        public PipeWriter Output { get; } = new ExplainedOutput(inner.Output);
    }

    private sealed class ExplainedOutput(PipeWriter inner) : PipeWriter
    {
        private Memory<byte> room;

        public override Memory<byte> GetMemory(int sizeHint = 0) => room = inner.GetMemory(Math.Max(sizeHint, RoomMin));

        public override Span<byte> GetSpan(int sizeHint = 0) => GetMemory(sizeHint).Span;

        public override void Advance(int bytes)
        {
            var all = Explain(room.Span, bytes);
            inner.Advance(all);
            room = room[all..];
        }

        public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;
        public override long UnflushedBytes => inner.UnflushedBytes;
        public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) =>
            inner.FlushAsync(cancellationToken);
        public override ValueTask<FlushResult> WriteAsync(ReadOnlyMemory<byte> source,
            CancellationToken cancellationToken = default) => inner.WriteAsync(source, cancellationToken);
        public override void CancelPendingFlush() => inner.CancelPendingFlush();
        public override void Complete(Exception? exception = null) => inner.Complete(exception);
        public override ValueTask CompleteAsync(Exception? exception = null) => inner.CompleteAsync(exception);
    }
}
