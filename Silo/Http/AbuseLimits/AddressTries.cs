using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>Limits how often an address may try something that is done by hand.</summary>
internal abstract class AddressTries(Limits limits) : IDisposable
{
    private const int TriesPerMinuteMax = 10;

    private readonly PartitionedRateLimiter<HttpContext> limiter = PartitionedRateLimiter.Create<HttpContext, int>(
        context => RateLimitPartition.GetFixedWindowLimiter(ClientAddress.Bucket(context, limits.AddressBucketsMax),
            _ => new() { PermitLimit = TriesPerMinuteMax, Window = TimeSpan.FromMinutes(1) }));

    public bool TryTake(HttpContext context)
    {
        using var turn = limiter.AttemptAcquire(context);
        return turn.IsAcquired;
    }

    public void Dispose() => limiter.Dispose();
}
