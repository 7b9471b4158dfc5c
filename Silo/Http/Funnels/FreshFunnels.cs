using Tally.Contracts;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>Folds what funnels that are kept do not have yet.</summary>
internal sealed class FreshFunnels(SqlStorage storage, Limits limits) : SharedMerge(limits)
{
    private readonly (int Batches, int Changes) max = (limits.MergeVisitBatchesMax, limits.FoldChangesMax);

    // In this order: the merge of visits notes what changed.
    protected override async Task MergeAll()
    {
        await MergeAll(storage.ReadVisitDeltas, storage.MergeVisits, max.Batches);
        await MergeAll(storage.ReadFunnelChanges, storage.FoldFunnels, max.Changes);
    }
}
