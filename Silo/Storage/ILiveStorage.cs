using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>What the live streams ask the database for.</summary>
/// <remarks>Errors: <see cref="EventLogUnavailableException"/> where the database does not answer.</remarks>
public interface ILiveStorage
{
    /// <summary>
    /// The total of each pair of product and action: every event that is committed, once, as of one moment. Costs a row for
    /// each pair, however many events there are.
    /// </summary>
    Task<IReadOnlyList<(string Product, string Action, long Events)>> ReadCounts();

    /// <summary>
    /// What is new in many histories, as of one moment. Of each history in the order of its sequences, without a gap.
    /// </summary>
    /// <param name="watched">Each fingerprint once.</param>
    /// <param name="eachMax">Events of one fingerprint at the most.</param>
    /// <param name="bytesMax">Ends with the event with which their properties exceed this.</param>
    Task<IReadOnlyList<HistoryNews>> ReadNews(IReadOnlyCollection<HistoryPosition> watched, int eachMax, int bytesMax);
}

/// <summary>A place in a fingerprint's history, and the event there: after an erasure the same place is another event's.</summary>
/// <param name="Fingerprint">Whose history it is.</param>
/// <param name="Sequence">0 before the first event.</param>
/// <param name="EventId">Empty where there is no event, or it was pruned.</param>
public sealed record HistoryPosition(string Fingerprint, long Sequence, Guid EventId);

/// <summary>One new event, or that there is none behind a position that is no longer in the history.</summary>
/// <param name="Fingerprint">Whose history it is.</param>
/// <param name="Event">Null where there is none.</param>
/// <param name="IsErased">The history was erased since the position was known: the event is another history's.</param>
public sealed record HistoryNews(string Fingerprint, RecordedEvent? Event, bool IsErased);
