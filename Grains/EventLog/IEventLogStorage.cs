namespace Tally.Grains.EventLog;

/// <summary>
/// A database that holds the event log and its rollups: its SQL and its mapping, nothing else. Every call stands
/// for itself and may be made at any time, by several callers at once.
/// </summary>
/// <remarks>
/// Errors: <see cref="EventLogUnavailableException"/> where the database does not answer and surely nothing was
/// changed; <see cref="CommitUnknownException"/> where a commit was begun and its answer never came.
/// </remarks>
public interface IEventLogStorage
{
    /// <summary>
    /// Records events and rollup deltas in one durable transaction: all of them, or, where an event's
    /// (fingerprint, sequence) or (fingerprint, id) is in the log already, or the event that a run follows is not, none of them.
    /// </summary>
    /// <param name="events">Those of all runs.</param>
    /// <param name="starts">Where each of the runs begins.</param>
    /// <param name="deltas">What the events add to the rollups.</param>
    /// <returns>The removals before them; null where nothing was recorded because of such a conflict.</returns>
    Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas);

    /// <summary>Those of the events whose (fingerprint, id) the log holds, as it holds them.</summary>
    Task<IReadOnlyList<RecordedEvent>> FindRepeats(IReadOnlyList<RecordedEvent> events);

    /// <summary>Each fingerprint's highest sequence; one without events is absent.</summary>
    Task<IReadOnlyDictionary<string, long>> ReadHeads(IReadOnlyCollection<string> fingerprints);

    /// <summary>
    /// Each fingerprint's newest events, at most <paramref name="limit"/> each, and what is left of those without, as of one
    /// moment; but whether these are suppressed as of then or later.
    /// </summary>
    Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit);

    /// <summary>
    /// A fingerprint's events after a sequence, oldest first, at most <paramref name="limit"/>. Ends early with the event with which
    /// their properties exceed <paramref name="bytesMax"/>: a short answer is not the end, an empty one is.
    /// </summary>
    Task<IReadOnlyList<RecordedEvent>> ReadAfter(string fingerprint, long sequence, int limit, int bytesMax = int.MaxValue, CancellationToken cancellation = default);

    /// <summary>
    /// Adds up to <paramref name="limit"/> appended deltas into the rollups, atomically, unless another silo is
    /// doing it just now.
    /// </summary>
    /// <returns>Deltas merged.</returns>
    Task<int> MergeRollups(int limit);

    /// <summary>
    /// The pairs of product and action that merges have met, in the order of their numbers, from after <paramref name="id"/> on.
    /// </summary>
    Task<IReadOnlyList<(long Id, string Product, string Action)>> ReadCounters(long id);

    /// <summary>Completes when the log can be written; throws <see cref="EventLogUnavailableException"/> otherwise.</summary>
    Task CheckWritable(CancellationToken cancellation);

    /// <summary>Everything stored, as of one moment.</summary>
    Task<IEventLogAudit> OpenAudit(CancellationToken cancellation);
}

/// <param name="Events">By fingerprint, newest first.</param>
/// <param name="Remains">By fingerprint without events; one of which nothing is left is absent.</param>
/// <param name="RemovalEpoch">Erasures and prunings before the moment as of which they were read.</param>
public sealed record NewestOfMany(ILookup<string, RecordedEvent> Events, IReadOnlyDictionary<string, Remains> Remains, long RemovalEpoch)
{
    /// <summary>A fingerprint's own.</summary>
    public NewestEvents Of(string fingerprint) => Events.Contains(fingerprint)
        ? new([.. Events[fingerprint].Reverse()], EventLog.Remains.None, RemovalEpoch)
        : new([], Remains.TryGetValue(fingerprint, out var remains) ? remains : EventLog.Remains.None, RemovalEpoch);
}

/// <summary>
/// One consistent view of everything stored, streamed in constant memory. Streams are read one at a time or side by
/// side; fingerprints come in the order of their UTF-8 bytes.
/// </summary>
public interface IEventLogAudit : IAsyncDisposable
{
    /// <summary>The whole log, by fingerprint and sequence.</summary>
    IAsyncEnumerable<RecordedEvent> Events(CancellationToken cancellation);

    /// <summary>Every snapshot and what pruned events add up to, by grain key; what is pruned before the snapshots.</summary>
    IAsyncEnumerable<StoredState> States(CancellationToken cancellation);

    /// <summary>What events that were removed from the log gave the rollups.</summary>
    IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RemovedRollups(CancellationToken cancellation);

    /// <summary>Every rollup with its deltas added, by minute, product and action.</summary>
    IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> Rollups(CancellationToken cancellation);

    /// <summary>Every rollup of a whole hour with its deltas added, by hour, product and action; the hour stands for the minute.</summary>
    IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> RollupHours(CancellationToken cancellation);

    /// <summary>The events of every pair of product and action, as counters and deltas have them.</summary>
    IAsyncEnumerable<(string Product, string Action, long Events)> Counts(CancellationToken cancellation);

    /// <summary>Every visit with its deltas added, by fingerprint.</summary>
    IAsyncEnumerable<Visit> Visits(CancellationToken cancellation);
}

/// <param name="GrainKey">Whose.</param>
/// <param name="Payload">The bytes that grain storage writes.</param>
/// <param name="IsPruned">True of what stands for pruned events; false of a snapshot.</param>
public sealed record StoredState(string GrainKey, byte[] Payload, bool IsPruned);

/// <summary>The database does not answer; surely nothing was changed.</summary>
public sealed class EventLogUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A commit was begun and its answer never came: it may be in the log or not.</summary>
public sealed class CommitUnknownException(Exception inner) : Exception("The outcome of a commit is unknown.", inner);
