namespace Tally.Tests.Cluster.Breaks;

/// <summary>A way to break the program on purpose, which the fault run must find.</summary>
public enum Break
{
    /// <summary>The log reports a batch as recorded a moment before it is.</summary>
    AcknowledgedBeforeCommit,
    /// <summary>
    /// A grain that loads does not learn its events' ids. Its test removes the log's own check of ids.
    /// </summary>
    NoDedupeAfterReload,
    /// <summary>An event with an unknown outcome is resent under a new id.</summary>
    RetriedBlindly,
    /// <summary>A silo takes it for proven that its fingerprints are its own.</summary>
    NothingProven,
    /// <summary>A snapshot holds an event that was never committed.</summary>
    SnapshotAheadOfLog,
    /// <summary>A silo hears late that another leaves. No fault: it must do no harm.</summary>
    LateNews,
}
