using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>The total of each pair of product and action.</summary>
/// <remarks>Errors: <see cref="EventLogUnavailableException"/> where the database does not answer.</remarks>
public interface ILiveCountsStorage
{
    /// <summary>
    /// Every event that is committed, once, as of one moment: what the merge has added up, and the deltas that it has not come to.
    /// Costs a row for each pair, however many events there are.
    /// </summary>
    Task<IReadOnlyList<(string Product, string Action, long Events)>> ReadCounts();
}
