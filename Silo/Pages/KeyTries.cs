using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;

namespace Tally.Silo.Pages;

/// <summary>Limits how often an address may try a key in a form, so that nobody guesses one.</summary>
internal sealed class KeyTries(Limits limits) : IDisposable
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
