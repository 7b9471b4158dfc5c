namespace Tally.Tests.Cluster.Breaks;

/// <summary>A way to break the program on purpose, so that the fault run has to find it.</summary>
public enum Break
{
    /// <summary>The log says that a batch is recorded a moment before it is.</summary>
    AcknowledgedBeforeCommit,
    /// <summary>A grain that loads does not learn the ids of its events, nor does the log know them.</summary>
    NoDedupeAfterReload,
    /// <summary>What was left open is sent again under a new id.</summary>
    RetriedBlindly,
    /// <summary>A silo takes it for proven that its fingerprints are its own.</summary>
    NothingProven,
    /// <summary>A snapshot holds an event that was never committed.</summary>
    SnapshotAheadOfLog,
}
