using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>
/// Limits new fingerprints by address, since they fill memory and the log. Whether a fingerprint is new is known only
/// after its event is recorded, so an address is charged afterwards. While it owes more than a minute's worth, its
/// events are refused. Requests already under way pass, and are charged too.
/// </summary>
internal sealed class NewFingerprintLimiter(Limits limits, TimeProvider clock) : PartitionedRateLimiter<HttpContext>
{
    private readonly long minute = clock.TimestampFrequency * 60;

    // When each bucket will have paid its debt. Nothing else is kept, so the memory is fixed.
    private readonly long[] paidAt =
        new long[limits.AddressNewFingerprintsPerMinuteMax > 0 ? limits.AddressBucketsMax : 0];

    /// <summary>Charges an address for its new fingerprints.</summary>
    public void Charge(HttpContext context, int fingerprints)
    {
        if (paidAt.Length == 0 || fingerprints == 0) return;
        ref var paid = ref paidAt[ClientAddress.Bucket(context, paidAt.Length)];
        var price = fingerprints * minute / limits.AddressNewFingerprintsPerMinuteMax;
        for (var before = Volatile.Read(ref paid); ;)
        {
            var after = Math.Max(before, clock.GetTimestamp()) + price;
            var found = Interlocked.CompareExchange(ref paid, after, before);
            if (found == before) return;
            before = found;
        }
    }

    public override RateLimiterStatistics? GetStatistics(HttpContext resource) => null;

    protected override RateLimitLease AttemptAcquireCore(HttpContext resource, int permitCount)
    {
        if (!resource.TakesEvents()) return Lease.Granted;
        var owed = Volatile.Read(ref paidAt[ClientAddress.Bucket(resource, paidAt.Length)]) - clock.GetTimestamp()
            - minute;
        return owed < 0 ? Lease.Granted : new Lease(TimeSpan.FromSeconds((double)owed / clock.TimestampFrequency));
    }

    protected override ValueTask<RateLimitLease> AcquireAsyncCore(
        HttpContext resource, int permitCount, CancellationToken cancellationToken) =>
            new(AttemptAcquireCore(resource, permitCount));

    private sealed class Lease(TimeSpan? retryAfter) : RateLimitLease
    {
        public static readonly Lease Granted = new(null);

        public override bool IsAcquired => retryAfter is null;

        public override IEnumerable<string> MetadataNames =>
            [MetadataName.RetryAfter.Name, MetadataName.ReasonPhrase.Name];

        public override bool TryGetMetadata(string metadataName, out object? metadata)
        {
            metadata = retryAfter is null ? null
                : metadataName == MetadataName.RetryAfter.Name ? retryAfter
                : metadataName == MetadataName.ReasonPhrase.Name ? Refusal.TooManyNewFingerprintsReason : null;
            return metadata is not null;
        }
    }
}
