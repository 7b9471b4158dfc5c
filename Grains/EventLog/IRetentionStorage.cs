namespace Tally.Grains.EventLog;

/// <summary>How old events leave the log. Errors as <see cref="IEventLogStorage"/>'s.</summary>
public interface IRetentionStorage
{
    /// <summary>For one process at a time: until it is disposed, others get null. It does no more than save them the work.</summary>
    Task<IAsyncDisposable?> TryLead();

    /// <summary>
    /// Fingerprints with events, in the order of their bytes: each with when its oldest event was accepted and when its newest
    /// happened.
    /// </summary>
    /// <param name="after">Behind this one; empty for the first.</param>
    /// <param name="limit">At most; fewer are the last ones.</param>
    Task<IReadOnlyList<AgeOfFingerprint>> ReadAges(string after, int limit);

    /// <summary>Fingerprints of which all events are pruned, in the order of their bytes.</summary>
    /// <inheritdoc cref="ReadAges"/>
    Task<IReadOnlyList<string>> ReadPrunedWhole(string after, int limit);

    /// <summary>
    /// Removes each fingerprint's first events up to the first one that was accepted at <paramref name="before"/> or later, in
    /// one durable transaction which puts what they add up to in their place: loads go on from there. Rollups keep what they
    /// gave.
    /// </summary>
    /// <param name="fingerprints">In the order of their bytes.</param>
    /// <param name="before">UTC.</param>
    /// <param name="eventsEach">Of each fingerprint at most.</param>
    /// <returns>What was removed; null where somebody else was at the same events, which may be tried again.</returns>
    Task<Pruned?> Prune(IReadOnlyList<string> fingerprints, DateTime before, int eventsEach);
}

/// <param name="Fingerprint">Which.</param>
/// <param name="OldestCreated">UTC: when its first event that is not pruned was accepted.</param>
/// <param name="NewestOccurred">UTC: when the last one of its sequence happened.</param>
public sealed record AgeOfFingerprint(string Fingerprint, DateTime OldestCreated, DateTime NewestOccurred);

/// <param name="Events">Removed.</param>
/// <param name="HasMore">Of some fingerprint so many were removed as may be at once.</param>
public sealed record Pruned(long Events, bool HasMore);
