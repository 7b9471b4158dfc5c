using System.Threading.RateLimiting;
using Microsoft.AspNetCore.RateLimiting;
using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>
/// Rate limits on everything but health, metrics and the description: by address, by key, and by new fingerprints.
/// Without any limit there is no middleware.
/// </summary>
internal static class RequestLimits
{
    // A page or a service may begin with a burst.
    private const int BurstSeconds = 10;

    private static readonly object Everyone = new();

    public static void AddRequestLimits(this IServiceCollection services, Limits limits)
    {
        services.AddSingleton<NewFingerprintLimiter>();
        services.AddRateLimiter(_ => { });
        services.AddOptions<RateLimiterOptions>().Configure<NewFingerprintLimiter>((options, newFingerprints) =>
        {
            options.GlobalLimiter = PartitionedRateLimiter.CreateChained([.. Limiters(limits, newFingerprints)]);
            options.OnRejected = static (rejected, _) => new(Refuse(rejected.HttpContext, rejected.Lease));
        });
    }

    public static void UseRequestLimits(this WebApplication app)
    {
        if (AreSet(app.Services.GetRequiredService<Limits>())) app.UseRateLimiter();
    }

    /// <summary>Whether there is any limit.</summary>
    public static bool AreSet(Limits limits) => limits is not
    {
        AddressRequestsPerSecondMax: 0, KeyRequestsPerSecondMax: 0, AddressNewFingerprintsPerMinuteMax: 0,
    };

    private static IEnumerable<PartitionedRateLimiter<HttpContext>> Limiters(
        Limits limits, NewFingerprintLimiter newFingerprints)
    {
        if (limits.AddressNewFingerprintsPerMinuteMax > 0) yield return newFingerprints;
        if (limits.KeyRequestsPerSecondMax is > 0 and var perKey)
            yield return PartitionedRateLimiter.Create<HttpContext, object>(context => context.Key() is { } key
                ? RateLimitPartition.GetTokenBucketLimiter<object>(key, _ => PerSecond(perKey))
                : RateLimitPartition.GetNoLimiter(Everyone));
        if (limits.AddressRequestsPerSecondMax is > 0 and var perAddress)
            yield return PartitionedRateLimiter.Create<HttpContext, int>(context =>
                RateLimitPartition.GetTokenBucketLimiter(
                ClientAddress.Bucket(context, limits.AddressBucketsMax), _ => PerSecond(perAddress)));
    }

    private static TokenBucketRateLimiterOptions PerSecond(int requests) => new()
    {
        TokenLimit = requests * BurstSeconds,
        TokensPerPeriod = requests,
        ReplenishmentPeriod = TimeSpan.FromSeconds(1),
    };

    private static Task Refuse(HttpContext context, RateLimitLease lease)
    {
        var after = lease.TryGetMetadata(MetadataName.RetryAfter, out var time) ? (int)Math.Ceiling(time.TotalSeconds)
            : 1;
        var refusal = lease.TryGetMetadata(MetadataName.ReasonPhrase, out _) ? Refusal.TooManyNewFingerprints(after)
            : Refusal.TooManyRequests(after);
        return refusal.ExecuteAsync(context);
    }
}
