namespace Tally.Grains.EventLog;

/// <summary>
/// Everything stored, as of one moment, as streams in constant memory. They are read one at a time or side by side.
/// Fingerprints come in the order of their UTF-8 bytes.
/// </summary>
public interface IEventLogAudit : IAsyncDisposable
{
    /// <summary>By which the database counts days and hours.</summary>
    Calendar Calendar { get; }

    /// <summary>The whole log, by fingerprint and sequence.</summary>
    IAsyncEnumerable<LogRow> Events(CancellationToken cancellation);

    /// <summary>
    /// Every snapshot, and the state of every fingerprint's pruned events, by grain key; the pruned state comes first.
    /// </summary>
    IAsyncEnumerable<StoredState> States(CancellationToken cancellation);

    /// <summary>What events that were removed from the log gave the rollups.</summary>
    IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RemovedRollups(CancellationToken cancellation);

    /// <summary>Every rollup with its deltas added, by minute, product and action.</summary>
    IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> Rollups(CancellationToken cancellation);

    /// <summary>
    /// Every rollup of an hour with its deltas added, by hour, product and action, with its day; the hour stands for
    /// the minute.
    /// </summary>
    IAsyncEnumerable<(RollupKey Key, DateOnly Day, RollupCounts Counts)> RollupHours(CancellationToken cancellation);

    /// <summary>The events of every pair of product and action, as counters and deltas have them.</summary>
    IAsyncEnumerable<(string Product, string Action, long Events)> Counts(CancellationToken cancellation);

    /// <summary>Every visit with its deltas added, by fingerprint.</summary>
    IAsyncEnumerable<Visit> Visits(CancellationToken cancellation);

    /// <summary>
    /// Every value of a dimension, without what is not merged, and what events and fingerprints that are gone gave it.
    /// </summary>
    IAsyncEnumerable<(DimensionKey Key, DimensionCounts Counts, DimensionCounts Removed)> DimensionValues(
        CancellationToken cancellation);

    /// <summary>What is not merged of the values' events, in any order.</summary>
    IAsyncEnumerable<(DimensionKey Key, long Events)> DimensionDeltas(CancellationToken cancellation);

    /// <summary>Which fingerprints have which values, merged or not, by fingerprint.</summary>
    IAsyncEnumerable<DimensionVisit> DimensionVisits(CancellationToken cancellation);

    /// <summary>The ids of versions of rules that are in force no more.</summary>
    IReadOnlySet<int> EndedRules { get; }

    /// <summary>What rules did and what they wait for, by fingerprint.</summary>
    IAsyncEnumerable<StoredRuleEffect> RuleEffects(CancellationToken cancellation);
}

/// <summary>A firing or a deadline.</summary>
/// <param name="Rule">The id of the rule's version.</param>
/// <param name="Head">Of a firing by the clock: the fingerprint's newest event at that moment.</param>
/// <param name="State">Of a firing; null for a deadline.</param>
/// <param name="Due">Of a deadline; null for a firing.</param>
public sealed record StoredRuleEffect(string Fingerprint, int Rule, long Sequence, DateTime Occurred, long? Head,
    string? State, DateTime? Due);

/// <param name="GrainKey">The key of the fingerprint's grain.</param>
/// <param name="Payload">The bytes that grain storage writes.</param>
/// <param name="IsPruned">True for the state of pruned events; false for a snapshot.</param>
public sealed record StoredState(string GrainKey, byte[] Payload, bool IsPruned);
