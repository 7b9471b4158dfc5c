using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// Bounds the memory of large bodies that are read whole, over all clients: beyond it they wait. Small bodies are
/// bounded by the number of connections alone.
/// </summary>
internal sealed class LargeBodyLimiter(Limits limits) : IDisposable
{
    private readonly ConcurrencyLimiter bytesHeld =
        new(new() { PermitLimit = limits.LargeBodiesBytesMax, QueueLimit = int.MaxValue });

    public bool IsLarge(long bytes) => bytes > limits.SmallBodyBytesMax;

    /// <summary>Waits until a large body may be read. Its bytes count until the request ends.</summary>
    /// <returns>
    /// A source that ends the reading when it takes too long, so that slow senders do not keep others out. Null if the
    /// request's deadline passed first.
    /// </returns>
    public async ValueTask<CancellationTokenSource?> Acquire(HttpRequest request, int bytes)
    {
        using var deadline = new CancellationTokenSource(FrontEnd.Deadline);
        try
        {
            var lease = await bytesHeld.AcquireAsync(Math.Min(bytes, limits.LargeBodiesBytesMax), deadline.Token);
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

    public void Dispose() => bytesHeld.Dispose();
}
