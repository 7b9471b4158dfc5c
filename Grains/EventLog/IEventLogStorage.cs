using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// The database that holds the event log, as the domain needs it. Calls may be made at any time, and at once.
/// </summary>
/// <remarks>
/// Errors: <see cref="EventLogUnavailableException"/> if the database does not answer and nothing was changed; <see
/// cref="CommitUnknownException"/> if a commit was sent and its answer never came.
/// </remarks>
public interface IEventLogStorage
{
    /// <summary>
    /// Records events and rollup deltas in one durable transaction. It records nothing if the log has the (fingerprint,
    /// sequence) or the (fingerprint, id) of an event already, or lacks the event that a run follows.
    /// </summary>
    /// <param name="events">The events of all runs.</param>
    /// <param name="starts">Where each of the runs begins.</param>
    /// <param name="deltas">What the events add to the rollups.</param>
    /// <returns>The removal epoch; null if nothing was recorded because of such a conflict.</returns>
    Task<long?> TryRecord(IReadOnlyList<RecordedEvent> events, IReadOnlyList<RunStart> starts, RollupDeltas deltas);

    /// <summary>The events in the log that have the (fingerprint, id) of one of these.</summary>
    Task<IReadOnlyList<RecordedEvent>> FindRepeats(IReadOnlyList<RecordedEvent> events);

    /// <summary>Each fingerprint's highest sequence. A fingerprint without events is absent.</summary>
    Task<IReadOnlyDictionary<string, long>> ReadHeads(IReadOnlyCollection<string> fingerprints);

    /// <summary>
    /// Each fingerprint's newest events, at most <paramref name="limit"/> each, and what is left of fingerprints
    /// without events, as of one moment. Only whether those are suppressed may be as of a later moment.
    /// </summary>
    Task<NewestOfMany> ReadNewest(IReadOnlyCollection<string> fingerprints, int limit);

    /// <summary>
    /// A fingerprint's events after a sequence, oldest first, at most <paramref name="limit"/>. Ends early with the
    /// event with which their properties exceed <paramref name="bytesMax"/>. So a short answer does not mean the end of
    /// the history, but an empty one does.
    /// </summary>
    Task<IReadOnlyList<RecordedEvent>> ReadAfter(
        string fingerprint, long sequence, int limit, int bytesMax = int.MaxValue,
        CancellationToken cancellation = default);

    /// <summary>What a fingerprint's pruned events add up to; null if none was pruned.</summary>
    Task<FingerprintState?> ReadPruned(string fingerprint);

    /// <summary>
    /// Removes all that is kept of a fingerprint, in one durable transaction. No append and no snapshot of the
    /// fingerprint misses it. The rollups keep what its events gave them, which is noted without the fingerprint.
    /// </summary>
    /// <param name="fingerprint">The fingerprint to erase.</param>
    /// <param name="head">Its highest sequence, as the caller knows it; 0 for none.</param>
    /// <param name="suppress">Whether its events are refused from now on; a keyed hash of it is kept for that.</param>
    /// <param name="pageEvents">Number of events that are read and folded at once.</param>
    /// <returns>What was removed; null if the log's head is another, and so nothing was.</returns>
    Task<Removed?> Erase(string fingerprint, long head, bool suppress, int pageEvents);
}

/// <param name="Events">By fingerprint, newest first.</param>
/// <param name="Remains">By fingerprint without events. A fingerprint of which nothing is left is absent.</param>
/// <param name="RemovalEpoch">The number of erasures and prunings until then.</param>
/// <param name="SomeAreSuppressed">Some fingerprint is, asked for or not.</param>
public sealed record NewestOfMany(
    ILookup<string, RecordedEvent> Events, IReadOnlyDictionary<string, Remains> Remains, long RemovalEpoch,
    bool SomeAreSuppressed)
{
    /// <summary>One fingerprint's part.</summary>
    public NewestEvents For(string fingerprint) => new(
        [.. Events[fingerprint].Reverse()],
        Remains.TryGetValue(fingerprint, out var remains) ? remains : EventLog.Remains.None,
        RemovalEpoch, SomeAreSuppressed);
}

/// <summary>What is left of a fingerprint without events.</summary>
/// <param name="Pruned">What its events added up to, if they were pruned.</param>
/// <param name="Suppressed">Its events are refused, since its erasure.</param>
public sealed record Remains(FingerprintState? Pruned, bool Suppressed)
{
    public static readonly Remains None = new(null, Suppressed: false);
}

/// <summary>The database does not answer, and nothing was changed.</summary>
public sealed class EventLogUnavailableException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A commit was sent and its answer never came: it may be in the log or not.</summary>
public sealed class CommitUnknownException(Exception inner) : Exception("The outcome of a commit is unknown.", inner);
