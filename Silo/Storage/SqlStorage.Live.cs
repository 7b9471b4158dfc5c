using System.Data.Common;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>
/// A place in a fingerprint's history, and the event there: after an erasure the same place is another event's.
/// </summary>
/// <param name="Fingerprint">Whose history it is.</param>
/// <param name="Sequence">0 before the first event.</param>
/// <param name="EventId">Empty if there is no event, or it was pruned.</param>
public sealed record HistoryPosition(string Fingerprint, long Sequence, Guid EventId);

/// <summary>One new event, or that there is none behind a position that is no longer in the history.</summary>
/// <param name="Fingerprint">Whose history it is.</param>
/// <param name="Event">Null if there is none.</param>
/// <param name="IsErased">The history was erased since the position was known: the event is another history's.</param>
public sealed record HistoryNews(string Fingerprint, RecordedEvent? Event, bool IsErased);

/// <summary>What the live streams read.</summary>
public abstract partial class SqlStorage
{
    private readonly string readCounts = scripts["read_counts"];
    private readonly string readNews = scripts["read_news"];

    /// <summary>
    /// The total of each pair of product and action: every committed event, once, as of one moment. Costs a row for
    /// each pair, however many events there are.
    /// </summary>
    public async Task<IReadOnlyList<(string Product, string Action, long Events)>> ReadCounts() =>
        await Query(readCounts, ReadCount);

    /// <summary>
    /// What is new in many histories, as of one moment. Each history comes in the order of its sequences, without a
    /// gap.
    /// </summary>
    /// <param name="watched">Each fingerprint once.</param>
    /// <param name="eachMax">Events of one fingerprint at the most.</param>
    /// <param name="bytesMax">Ends with the event with which their properties exceed this.</param>
    public async Task<IReadOnlyList<HistoryNews>> ReadNews(
        IReadOnlyCollection<HistoryPosition> watched, int eachMax, int bytesMax)
    {
        var bytes = 0L;
        return await Query(readNews, ReadNewsRow,
            [
                Texts("fingerprints", watched.Select(position => position.Fingerprint)),
                Numbers("sequences", watched.Select(position => position.Sequence)),
                Ids("ids", watched.Select(position => position.EventId)),
                Parameter("limit", eachMax),
            ],
            Open, CancellationToken.None, isLast: row => (bytes += row.Event?.PropertiesBytes ?? 0) > bytesMax);
    }

    private HistoryNews ReadNewsRow(DbDataReader row) =>
        new(row.GetString(0), row.IsDBNull(1) ? null : ReadEvent(row), row.GetBoolean(8));

    private static (string Product, string Action, long Events) ReadCount(DbDataReader row) =>
        (row.GetString(0), row.GetString(1), row.GetInt64(2));
}
