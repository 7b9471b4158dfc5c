using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How fingerprints are erased.</summary>
public abstract partial class SqlStorage
{
    private readonly string readAfter = scripts["read_after"];
    private readonly string deleteEvents = scripts["delete_events"];
    private readonly string deleteSnapshots = scripts["delete_snapshots"];
    private readonly string deletePruned = scripts["delete_pruned"];
    private readonly string deleteDeadlinesOf = scripts["delete_deadlines_of"];
    private readonly string deleteFirings = scripts["delete_firings"];
    private readonly string deleteVisits = scripts["delete_visits"];
    private readonly string deleteDimensionVisits = scripts["delete_dimension_visits"];
    private readonly string forgetInVerifications = scripts["forget_in_verifications"];
    private readonly string forgetFeed = scripts["forget_feed"];
    private readonly string addSuppression = scripts["add_suppression"];
    private readonly string readSuppressionKey = scripts["read_suppression_key"];
    private byte[]? suppressionKey;

    public async Task<Removed?> Erase(string fingerprint, long head, bool suppress, int pageEvents)
    {
        var hash = suppress ? Hash(fingerprint, await ReadSuppressionKey()) : null;
        Removed? removed;
        try
        {
            removed = await Remove([fingerprint],
                at => Fold(at, fingerprint, pageEvents),
                (at, history) => Erase(at, fingerprint, history, head, hash, pageEvents));
        }
        finally
        {
            knownVisits.Clear(); // before its next event
        }
        if (removed is null) return null;
        try
        {
            await OverwriteErased();
        }
        catch (EventLogUnavailableException)
        {
            // It is erased all the same, and will be overwritten in time.
        }
        return removed;
    }

    // The lock comes last, because all appends wait while it is held: now for a look-up, two rows and the commit. This
    // finds whatever was appended meanwhile, and then gives up.
    private async Task<Removed?> Erase(
        DbTransaction at, string fingerprint, FoldedHistory history, long head, byte[]? suppressionHash, int pageEvents)
    {
        if (history.State.Sequence != head) return null;
        var deleted =
            await Execute(at, deleteEvents, Parameter("fingerprint", fingerprint), Parameter("sequence", head));
        if (deleted != history.Events) return null;
        foreach (var some in history.Rollups.Chunk(pageEvents)) await AddRemoved(at, some);
        var visits = await DeleteVisits(at, fingerprint, history.State);
        await AddRemoved(at, history.Dimensions);
        await Execute(at, deleteDeadlinesOf, Parameter("fingerprint", fingerprint)); // the clock may have taken some
        await Execute(at, deleteFirings, Parameter("fingerprint", fingerprint));
        await Execute(at, deleteDimensionVisits, Parameter("fingerprint", fingerprint),
            Days("days", history.State.Days.All().Select(DateOnly.FromDayNumber)));

        await RaiseRemovalEpoch(at);
        await Execute(at, deletePruned, Parameter("fingerprint", fingerprint));
        var heads = await Query(at, readHeads, row => row.GetInt64(1), Texts("fingerprints", [fingerprint]));
        if (heads.Count > 0) return null;
        await Execute(at, forgetInVerifications, Parameter("fingerprint", fingerprint));
        var snapshots = await Execute(at, deleteSnapshots, Parameter("key", FingerprintKey.For(fingerprint)));
        if (suppressionHash is not null) await Execute(at, addSuppression, Parameter("hash", suppressionHash));
        return new(history.Events, snapshots, visits, suppressionHash is not null);
    }

    // A delta holds the visits of many fingerprints in one row, so all deltas are merged first. Funnels come before
    // that: the merge does not wait for a fold.
    private async Task<int> DeleteVisits(DbTransaction at, string fingerprint, FingerprintState folded)
    {
        await LockFunnels(at);
        await LockMerge(at);
        await Execute(at, mergeVisits, Parameter("limit", int.MaxValue));
        await Execute(at, forgetFeed, Parameter("fingerprint", fingerprint));
        await Execute(at, deleteFunnelVisits, Parameter("fingerprint", fingerprint),
            Days("days", folded.Days.All().Select(DateOnly.FromDayNumber)));
        var days = folded.Products.SelectMany(product => product.Days.All().Select(day => (product.Product, Day: day)))
            .ToList();
        return await Execute(at, deleteVisits, Parameter("fingerprint", fingerprint),
            Texts("products", days.Select(one => one.Product)),
            Days("days", days.Select(one => DateOnly.FromDayNumber(one.Day))));
    }

    /// <param name="State">The fold of the pruned events and of those in the log.</param>
    /// <param name="Rollups">What the events in the log gave the rollups.</param>
    /// <param name="Events">The number of events in the log.</param>
    /// <param name="Dimensions">What they gave the dimensions.</param>
    private sealed record FoldedHistory(
        FingerprintState State, RollupDeltas Rollups, RemovedDimensions Dimensions, long Events);

    // Page by page, since a history may be long. The memory that this needs grows with the minutes in which something
    // happened.
    private async Task<FoldedHistory> Fold(DbTransaction at, string fingerprint, int pageEvents)
    {
        var pruned = await Query(at, readPruned, ReadState, Parameter("fingerprint", fingerprint));
        var state = pruned is [var one] ? one : new();
        var rollups = new RollupDeltas();
        var dimensions = new RemovedDimensions(Calendar);
        var sets = await ReadDimensionSets();
        var events = 0L;
        while (true)
        {
            var page = await KnowingRules(() => Query(at, readAfter, row => ReadLogRow(row, sets, Rules),
                Parameter("fingerprint", fingerprint), Parameter("sequence", state.Sequence),
                Parameter("limit", pageEvents)));
            if (page.Count == 0) return new(state, rollups, dimensions, events);
            foreach (var logged in page)
            {
                var recorded = logged.Recorded;
                dimensions.Add(logged);
                // The same decision as the grain's.
                var decided = new Decisions(fingerprint, state, int.MaxValue, Calendar).Next(recorded.Event)!;
                state.Apply(recorded, Calendar);
                // The state's own strings, and not the row's, which would be kept for every minute.
                var counter = state.FindCounter(recorded.Event.Product, recorded.Event.Action)!;
                var key = RollupKey.From(decided) with { Product = counter.Product, Action = counter.Action };
                rollups.AddCounts(key, RollupCounts.From(decided.Firsts));
            }
            events += page.Count;
        }
    }

    // The baseline makes it, and it never changes.
    private async ValueTask<byte[]> ReadSuppressionKey() =>
        suppressionKey ??= (await Query(readSuppressionKey, row => row.GetFieldValue<byte[]>(0)))[0];

    private static byte[] Hash(string fingerprint, byte[] key) =>
        HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(fingerprint));

    /// <summary>
    /// Finds what to remove of some fingerprints, however long that takes, and then removes it in one durable
    /// transaction. Until it ends, nobody else removes anything of these fingerprints. Appends go on while it finds.
    /// </summary>
    /// <param name="fingerprints">In the order of their bytes.</param>
    /// <param name="find">Only reads.</param>
    /// <param name="remove">Gets what was found. If its result is null, the transaction is rolled back.</param>
    protected abstract Task<T?> Remove<TFound, T>(IReadOnlyList<string> fingerprints,
        Func<DbTransaction, Task<TFound>> find, Func<DbTransaction, TFound, Task<T?>> remove) where T : class;

    /// <summary>
    /// Overwrites at once what the database's files still hold of removed rows, as far as the database can do that.
    /// </summary>
    protected virtual Task OverwriteErased() => Task.CompletedTask;

    /// <summary>Notes what events that leave the log gave the rollups.</summary>
    protected abstract Task AddRemoved(DbTransaction at,
        IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> removed);

    /// <summary>Until the transaction ends, nobody else merges.</summary>
    protected virtual Task LockMerge(DbTransaction at) => Task.CompletedTask;

    /// <summary>
    /// Locks out appends until the transaction ends. What was being appended is visible from here on, and later appends
    /// see what this transaction has done.
    /// </summary>
    protected virtual Task RaiseRemovalEpoch(DbTransaction at) => Task.CompletedTask;
}
