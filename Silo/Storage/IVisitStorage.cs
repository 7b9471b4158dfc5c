using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>In which order fingerprints are listed. Those that are equal follow in the order of their UTF-8 bytes, or against it.</summary>
public enum FingerprintOrder : byte
{
    /// <summary>Last seen last, first.</summary>
    Recent = 1,
    /// <summary>First seen first, first.</summary>
    First = 2,
    /// <summary>The most events first.</summary>
    Total = 3,
}

/// <summary>A place in a list: after it the next page begins.</summary>
/// <param name="Order">The list's.</param>
/// <param name="Value">What the list is ordered by: UTC ticks, or events.</param>
/// <param name="Fingerprint">The last one of those before.</param>
public sealed record FingerprintPlace(FingerprintOrder Order, long Value, string Fingerprint)
{
    /// <summary>Before all.</summary>
    public static FingerprintPlace Begin(FingerprintOrder order) => new(order, order switch
    {
        FingerprintOrder.Recent => DateTime.MaxValue.Ticks,
        FingerprintOrder.First => DateTime.MinValue.Ticks,
        _ => long.MaxValue,
    }, "");
}

/// <summary>What a fingerprint did, with all products or with the one that was asked for.</summary>
/// <param name="Fingerprint">As its client wrote it.</param>
/// <param name="Total">Events.</param>
/// <param name="FirstSeen">UTC: the earliest <see cref="Event.Occurred"/>.</param>
/// <param name="LastSeen">UTC: the latest <see cref="Event.Occurred"/>.</param>
public sealed record FingerprintSummary(string Fingerprint, long Total, DateTime FirstSeen, DateTime LastSeen);

/// <param name="Product">Used.</param>
/// <param name="Events">Events.</param>
/// <param name="UniqueFingerprints">Different fingerprints that used it.</param>
public sealed record ProductUniques(string Product, long Events, long UniqueFingerprints);

/// <summary>
/// Visits: who used which product on which day. Questions see what is merged, so whoever wants to see every event recorded
/// until now merges first. Their cost grows with the visits that they look at, not with events.
/// </summary>
/// <remarks>
/// Errors: <see cref="EventLogUnavailableException"/> where the database does not answer, or not in time, and nothing was
/// changed; <see cref="CommitUnknownException"/> where a merge was begun and its answer never came. A question that is cancelled has
/// stopped scanning when it throws.
/// </remarks>
public interface IVisitStorage
{
    /// <summary>
    /// Adds up to <paramref name="limit"/> batches' deltas into the visits, atomically, unless another silo is merging just now.
    /// </summary>
    /// <returns>Deltas merged.</returns>
    Task<int> MergeVisits(int limit);

    /// <summary>The numbers of the oldest and the newest delta that is not merged, or null where there is none.</summary>
    Task<(long Oldest, long Newest)?> ReadVisitDeltas();

    /// <summary>Fingerprints in the order of a place, from after it on.</summary>
    /// <param name="after">The place.</param>
    /// <param name="product">The only one to look at; null for all.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="cancellation">Ends the scan.</param>
    Task<IReadOnlyList<FingerprintSummary>> ListFingerprints(FingerprintPlace after, string? product, int limit, CancellationToken cancellation);

    /// <summary>The fingerprints with the most events over UTC days from one until before another; of equal ones, in the order of their bytes.</summary>
    Task<IReadOnlyList<FingerprintSummary>> TopFingerprints(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation);

    /// <summary>Events over such days, and the different fingerprints that they are of.</summary>
    Task<(long Events, long UniqueFingerprints)> CountUniques(DateOnly from, DateOnly to, string? product, CancellationToken cancellation);

    /// <summary>The same by product, those with the most fingerprints first; of equal ones, in the order of their bytes.</summary>
    Task<IReadOnlyList<ProductUniques>> TopUniques(
        DateOnly from, DateOnly to, string? product, int limit, CancellationToken cancellation);
}
