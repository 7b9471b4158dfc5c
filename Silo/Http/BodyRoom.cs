using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// Bounds what large bodies that are read whole take together, whoever sends them: beyond it they wait, and the senders with
/// them. Small ones are bounded by the number of connections alone.
/// </summary>
internal sealed class BodyRoom(Limits limits) : IDisposable
{
    private readonly ConcurrencyLimiter room = new(new() { PermitLimit = limits.LargeBodiesBytesMax, QueueLimit = int.MaxValue });

    /// <summary>Whether a body is large, of which so many bytes have come.</summary>
    public bool IsNeededFor(long bytes) => bytes > limits.SmallBodyBytesMax;

    /// <summary>Waits for room, which is given back at the request's end.</summary>
    /// <returns>
    /// What ends the reading of the body when it takes too long, so that slow senders do not keep others out; null if there
    /// was no room within the request's time.
    /// </returns>
    public async ValueTask<CancellationTokenSource?> Acquire(HttpRequest request, int bytes)
    {
        using var deadline = new CancellationTokenSource(FrontEnd.Deadline);
        try
        {
            var lease = await room.AcquireAsync(Math.Min(bytes, limits.LargeBodiesBytesMax), deadline.Token);
            request.HttpContext.Response.RegisterForDispose(lease);
            if (!lease.IsAcquired) return null;
        }
        catch (OperationCanceledException)
        {
            return null;
        }
        var late = new CancellationTokenSource(TimeSpan.FromSeconds(limits.LargeBodySecondsMax));
        late.Token.Register(request.BodyReader.CancelPendingRead);
        return late;
    }

    public void Dispose() => room.Dispose();
}
