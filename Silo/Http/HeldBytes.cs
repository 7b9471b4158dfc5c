using System.Diagnostics.Metrics;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Core.Features;
using Tally.Contracts;
using Tally.Grains;

namespace Tally.Silo.Http;

/// <summary>Counts the bytes that wait for their readers, against a maximum.</summary>
internal class HeldBytes(long max, UpDownCounter<long> metric)
{
    private long held;

    public bool IsFull => Volatile.Read(ref held) >= max;

    /// <returns>False where they would be too many. What is larger than the maximum passes when nothing else is held.</returns>
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

    /// <summary>For what exists already: counted, also beyond the maximum.</summary>
    public void Hold(long bytes)
    {
        Interlocked.Add(ref held, bytes);
        metric.Add(bytes);
    }

    public void Release(long bytes) => Hold(-bytes);
}

/// <summary>
/// Large answers, from when they are made until their readers have taken them. Small ones are not counted: the server's buffer of a
/// connection takes them whole.
/// </summary>
internal sealed class HeldAnswers(Limits limits) : HeldBytes(limits.AnswerBytesMax, TallyMetrics.AnswerBytesHeld)
{
    /// <summary>Larger answers are sent in pieces of this size. Kestrel copies what it is given, and holds back only who gives more than 64 KB.</summary>
    public const int PieceBytes = 32 * 1024;

    // A reader may pause so long before its rate counts.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);

    /// <summary>Sends an answer piece by piece, or refuses where slow readers hold too many. What says what became of events is never refused.</summary>
    public async Task Send(HttpContext context, byte[] body, int status, string contentType)
    {
        var response = context.Response;
        if (!TryHold(body.Length))
        {
            if (HttpMethods.IsGet(context.Request.Method) && status == StatusCodes.Status200OK)
            {
                response.Headers.ETag = default; // it is the answer's
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
            // The server's own minimum would give each piece more than two minutes.
            if (context.Features.Get<IHttpMinResponseDataRateFeature>() is { } rate)
                rate.MinDataRate = new MinDataRate(limits.AnswerBytesPerSecondMin, Grace);
            // To the end also where the reader has gone: the server counts what it is given, and drops it.
            for (var sent = 0; sent < body.Length; sent += PieceBytes)
                await response.Body.WriteAsync(body.AsMemory(sent, Math.Min(PieceBytes, body.Length - sent)), CancellationToken.None);
        }
        finally
        {
            Release(body.Length);
        }
    }
}
