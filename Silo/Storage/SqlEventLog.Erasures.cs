using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>How a fingerprint leaves.</summary>
public abstract partial class SqlEventLog : IErasureStorage
{
    private readonly string deleteEvents = scripts["delete_events"];
    private readonly string deleteSnapshots = scripts["delete_snapshots"];
    private readonly string deletePruned = scripts["delete_pruned"];
    private readonly string mergeVisits = scripts["merge_visits"];
    private readonly string deleteVisits = scripts["delete_visits"];
    private readonly string addSuppression = scripts["add_suppression"];
    private readonly string readSuppressionKey = scripts["read_suppression_key"];
    private readonly string readPruned = scripts["read_pruned"];
    private byte[]? suppressionKey;

    public async Task<Removed?> Erase(string fingerprint, long head, bool suppress, int pageEvents)
    {
        var hash = suppress ? HashOf(fingerprint, await SuppressionKey()) : null;
        var removed = await Remove([fingerprint],
            at => Fold(at, fingerprint, pageEvents), (at, history) => Erase(at, fingerprint, history, head, hash, pageEvents));
        if (removed is null) return null;
        try
        {
            await OverwriteErased();
        }
        catch (EventLogUnavailableException)
        {
            // It is erased all the same, and overwritten in time.
        }
        return removed;
    }

    // The work first and the lock last: all appends wait while it is held, which is now one look-up, two rows and the commit.
    // Whatever was appended meanwhile without knowing of this is found then, and this gives way to it.
    private async Task<Removed?> Erase(
        DbTransaction at, string fingerprint, FoldedHistory history, long head, byte[]? suppressionHash, int pageEvents)
    {
        if (history.State.Sequence != head
            || await Execute(at, deleteEvents, Parameter("fingerprint", fingerprint), Parameter("sequence", head)) != history.Events) return null;
        foreach (var some in history.Gone.Chunk(pageEvents)) await AddRemoved(at, some);
        var visits = await DeleteVisits(at, fingerprint, history.State);

        await RaiseRemovalEpoch(at);
        await Execute(at, deletePruned, Parameter("fingerprint", fingerprint));
        if ((await Read(at, readHeads, row => row.GetInt64(1), Texts("fingerprints", [fingerprint]))).Count > 0) return null;
        var snapshots = await Execute(at, deleteSnapshots, Parameter("key", FingerprintKey.Of(fingerprint)));
        if (suppressionHash is not null) await Execute(at, addSuppression, Parameter("hash", suppressionHash));
        return new(history.Events, snapshots, visits, suppressionHash is not null);
    }

    // What is not merged yet holds many fingerprints' visits in one row: merged first, by the merge's own means.
    private async Task<int> DeleteVisits(DbTransaction at, string fingerprint, FingerprintState folded)
    {
        await LockMerge(at);
        await Execute(at, mergeVisits, Parameter("limit", int.MaxValue));
        var days = folded.Products.SelectMany(product => product.Days.All().Select(day => (product.Product, Day: DateOnly.FromDayNumber(day)))).ToList();
        return await Execute(at, deleteVisits, Parameter("fingerprint", fingerprint),
            Texts("products", days.Select(one => one.Product)), Days("days", days.Select(one => one.Day)));
    }

    /// <param name="State">What all of it adds up to.</param>
    /// <param name="Gone">What the events in the log have given the rollups.</param>
    /// <param name="Events">How many these are.</param>
    private sealed record FoldedHistory(FingerprintState State, RollupDeltas Gone, long Events);

    // Page by page, since a history may be long. What is kept of it grows with the minutes in which something happened.
    private async Task<FoldedHistory> Fold(DbTransaction at, string fingerprint, int pageEvents)
    {
        var pruned = await Read(at, readPruned, ReadState, Parameter("fingerprint", fingerprint));
        var state = pruned is [var one] ? one : new();
        var gone = new RollupDeltas();
        var events = 0L;
        while (true)
        {
            var page = await Read(at, readAfter, ReadEvent,
                Parameter("fingerprint", fingerprint), Parameter("sequence", state.Sequence), Parameter("limit", pageEvents));
            if (page.Count == 0) return new(state, gone, events);
            foreach (var recorded in page)
            {
                // The same decision as the grain's, as in a proof.
                var decided = new Decisions(fingerprint, state, int.MaxValue).Next(recorded.Event)!;
                state.Apply(recorded);
                // The state's own texts: each row has its own, which would be kept for every minute.
                var counter = state.FindCounter(recorded.Event.Product, recorded.Event.Action)!;
                gone.AddCounts(RollupKey.Of(decided) with { Product = counter.Product, Action = counter.Action }, RollupCounts.Of(decided.Firsts));
            }
            events += page.Count;
        }
    }

    public async Task<FingerprintState?> ReadPruned(string fingerprint) =>
        (await Read(readPruned, ReadState, Parameter("fingerprint", fingerprint))).SingleOrDefault();

    private static FingerprintState ReadState(DbDataReader row) => StoredStates.Read(row.GetFieldValue<byte[]>(0));

    // Made by the migration, and never another.
    private async ValueTask<byte[]> SuppressionKey() =>
        suppressionKey ??= (await Read(readSuppressionKey, row => row.GetFieldValue<byte[]>(0)))[0];

    private static byte[] HashOf(string fingerprint, byte[] key) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(fingerprint));

    /// <summary>
    /// Reads what is to be removed of some fingerprints, however long that takes, and then removes it in one durable transaction, which is
    /// rolled back where it comes to null. Until it ends nobody else removes anything of these fingerprints. Appends go on while it reads.
    /// </summary>
    /// <param name="fingerprints">In the order of their bytes.</param>
    /// <param name="find">Only reads.</param>
    /// <param name="remove">Gets what was found.</param>
    protected abstract Task<T?> Remove<TFound, T>(IReadOnlyList<string> fingerprints,
        Func<DbTransaction, Task<TFound>> find, Func<DbTransaction, TFound, Task<T?>> remove) where T : class;

    /// <summary>What a database can do at once so that its files do not keep what is gone.</summary>
    protected virtual Task OverwriteErased() => Task.CompletedTask;

    /// <summary>Notes what events that leave the log gave the rollups.</summary>
    protected abstract Task AddRemoved(DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> removed);

    /// <summary>Until the transaction ends, nobody else merges.</summary>
    protected virtual Task LockMerge(DbTransaction at) => Task.CompletedTask;

    /// <summary>
    /// Locks out appends until the transaction ends. What was being appended is visible from here on, and later appends see what this
    /// transaction has done.
    /// </summary>
    protected virtual Task RaiseRemovalEpoch(DbTransaction at) => Task.CompletedTask;

    protected static async Task<List<T>> Read<T>(DbTransaction at, string sql, Func<DbDataReader, T> map, params DbParameter[] parameters)
    {
        await using var command = Command(at, sql, parameters);
        await using var rows = await command.ExecuteReaderAsync();
        var result = new List<T>();
        while (await rows.ReadAsync()) result.Add(map(rows));
        return result;
    }

    protected static async Task<int> Execute(DbTransaction at, string sql, params DbParameter[] parameters)
    {
        await using var command = Command(at, sql, parameters);
        return await command.ExecuteNonQueryAsync();
    }

    private static DbCommand Command(DbTransaction at, string sql, DbParameter[] parameters)
    {
        var command = at.Connection!.CreateCommand();
        command.Transaction = at;
        command.CommandText = sql;
        command.CommandTimeout = 0; // a long history takes as long as it takes
        command.Parameters.AddRange(parameters);
        return command;
    }
}
