using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Silo.Http;

/// <summary>Counts bytes that are held until their readers have taken them, up to a maximum.</summary>
internal class HeldBytes(long max, UpDownCounter<long> metric)
{
    private long held;

    public bool IsFull => Volatile.Read(ref held) >= max;

    /// <returns>False if they would be too many. Something larger than the maximum is held only by itself.</returns>
    public bool TryHold(long bytes)
    {
        for (var before = Volatile.Read(ref held); before == 0 || before + bytes <= max;)
        {
            var found = Interlocked.CompareExchange(ref held, before + bytes, before);
            if (found == before)
            {
                metric.Add(bytes);
                return true;
            }
            before = found;
        }
        return false;
    }

    /// <summary>Counts bytes that must be held in any case, also beyond the maximum.</summary>
    public void Hold(long bytes)
    {
        Interlocked.Add(ref held, bytes);
        metric.Add(bytes);
    }

    public void Release(long bytes) => Hold(-bytes);
}

/// <summary>
/// Large answers that are being sent. Small ones are not counted: they fit into the server's buffer of the connection.
/// </summary>
internal sealed class HeldAnswers(Limits limits) : HeldBytes(limits.AnswerBytesMax, TallyMetrics.AnswerBytesHeld)
{
    /// <summary>
    /// Larger answers are sent in pieces: Kestrel copies each, and waits for the client only above 64 KB.
    /// </summary>
    public const int PieceBytes = 32 * 1024;

    // A reader may pause this long before its rate counts.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Sends an answer in pieces, or refuses if too many bytes are held. Receipts are never refused.</summary>
    public async Task Send(HttpContext context, byte[] body, int status, string contentType)
    {
        var response = context.Response;
        if (!TryHold(body.Length))
        {
            if (HttpMethods.IsGet(context.Request.Method) && status == StatusCodes.Status200OK)
            {
                response.Headers.ETag = default; // the tag was the answer's
                await Refusal.TooManyAnswers().ExecuteAsync(context);
                return;
            }
            Hold(body.Length);
        }
        try
        {
            response.StatusCode = status;
            response.ContentType = contentType;
            response.ContentLength = body.Length;
            // The server's default would give each piece more than two minutes.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
                rate.MinDataRate = new MinDataRate(limits.AnswerBytesPerSecondMin, Grace);
            // To the end even if the reader has gone: the server then drops what it is given.
            for (var sent = 0; sent < body.Length; sent += PieceBytes)
                await response.Body.WriteAsync(body.AsMemory(sent, Math.Min(PieceBytes, body.Length - sent)),
                    CancellationToken.None);
        }
        finally
        {
            Release(body.Length);
        }
    }
}
