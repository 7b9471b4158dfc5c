using System.Data.Common;
using System.Globalization;
using System.Text.Json;

namespace Tally.Silo.Storage;

/// <summary>A funnel that is kept by name.</summary>
/// <param name="Name">Unique.</param>
/// <param name="Steps">In their order.</param>
/// <param name="Product">Only events of this product; null for all.</param>
/// <param name="Within">The longest time from the first step to each other one: whole minutes.</param>
public sealed record KeptFunnel(string Name, IReadOnlyList<FunnelStep> Steps, string? Product, TimeSpan Within)
{
    internal int Id { get; init; }

    /// <summary>The fingerprint of the log up to which the past is folded; null once all is.</summary>
    internal string? FilledTo { get; init; } = "";

    /// <summary>Whether it answers without a scan of the log.</summary>
    public bool IsFilled => FilledTo is null;

    public FunnelQuestion Ask(DateTime from, DateTime to) => new(Steps, Within, from, to) { Product = Product };
}

/// <summary>
/// Funnels that are kept by name. The merge of visits notes which fingerprints have new events, and a fold reads their
/// histories anew. So a late event costs no more than any other. Questions see only what is folded.
/// </summary>
public abstract partial class SqlStorage
{
    // Of all funnels, in memory and in one transaction; a fold ends after the fingerprint that exceeds this.
    private const int FoldedVisitsMax = 20_000;

    private readonly string readFunnels = scripts["read_funnels"];
    private readonly string addFunnel = scripts["add_funnel"];
    private readonly string dropFunnel = scripts["drop_funnel"];
    private readonly string readDropped = scripts["read_dropped_funnel"];
    private readonly string deleteDropped = scripts["delete_dropped_visits"];
    private readonly string deleteFunnel = scripts["delete_dropped_funnel"];
    private readonly string noteFilled = scripts["note_filled"];
    private readonly string hasFunnels = scripts["has_funnels"];
    private readonly string refillFunnels = scripts["refill_funnels"];
    private readonly string readChanges = scripts["read_funnel_changes"];
    private readonly string deleteChanges = scripts["delete_funnel_changes"];
    private readonly string readChangeNumbers = scripts["read_funnel_change_numbers"];
    private readonly string readFunnelEvents = scripts["read_funnel_events"];
    private readonly string readFunnelVisits = scripts["read_funnel_visits"];
    private readonly string putFunnelVisits = scripts["put_funnel_visits"];
    private readonly string deleteFunnelVisits = scripts["delete_funnel_visits"];

    /// <summary>
    /// Keeps a funnel. If its name has another one, that is removed. If it has the same, nothing changes.
    /// </summary>
    /// <returns>What is kept; null if there are as many as there may be.</returns>
    public Task<KeptFunnel?> PutFunnel(KeptFunnel funnel, int funnelsMax) =>
        Remove([], _ => Task.FromResult(true), async (at, _) =>
        {
            // What was merged before is in the log for the fill, and what is merged later is noted.
            await LockMerge(at);
            var kept = await Query(at, readFunnels, ReadFunnel);
            var before = kept.Find(one => one.Name == funnel.Name);
            if (before is not null && before.Product == funnel.Product && before.Within == funnel.Within
                && Write(before.Steps) == Write(funnel.Steps)) return before;
            if (before is null && kept.Count >= funnelsMax) return null;
            if (before is not null) await Execute(at, dropFunnel, Parameter("name", funnel.Name));
            await Execute(at, addFunnel, Parameter("name", funnel.Name), Parameter("steps", Write(funnel.Steps)),
                Optional("product", funnel.Product), Parameter("minutes", (int)funnel.Within.TotalMinutes));
            return funnel;
        });

    /// <summary>Removes a funnel. What is folded for it goes later.</summary>
    /// <returns>What was removed, or null.</returns>
    public async Task<KeptFunnel?> DeleteFunnel(string name) =>
        (await Query(dropFunnel, ReadFunnel, Parameter("name", name))).FirstOrDefault();

    /// <summary>All funnels, by name.</summary>
    public async Task<IReadOnlyList<KeptFunnel>> ReadFunnels() => await Query(readFunnels, ReadFunnel);

    /// <summary>
    /// How far fingerprints got of which the first step was from one day until before another. It is what <see
    /// cref="ScanFunnel"/> says, which answers until the funnel is filled. The cost grows with the fingerprints of each
    /// day that did the first step, and not with events.
    /// </summary>
    /// <returns>Null if there is no funnel of this name. No sums if there are too many times.</returns>
    /// <inheritdoc cref="ScanFunnel"/>
    public async Task<(KeptFunnel Funnel, FunnelSums? Sums)?> AskFunnel(
        string name, DateOnly from, DateOnly to, int timesMax, CancellationToken cancellation)
    {
        while (true)
        {
            if (await FindFunnel(name) is not { } funnel) return null;
            var sums = funnel.IsFilled ? await SumFunnel(funnel, from, to, timesMax, cancellation)
                : await ScanFunnel(funnel.Ask(Calendar.StartOf(from), Calendar.StartOf(to)), limit: 1, timesMax,
                    cancellation);
            // If it was replaced meanwhile, its rows may be going.
            if ((await FindFunnel(name))?.Id == funnel.Id) return (funnel, sums);
            cancellation.ThrowIfCancellationRequested();
        }
    }

    private async Task<KeptFunnel?> FindFunnel(string name) =>
        (await ReadFunnels()).FirstOrDefault(one => one.Name == name);

    private async Task<FunnelSums?> SumFunnel(
        KeptFunnel funnel, DateOnly from, DateOnly to, int timesMax, CancellationToken cancellation)
    {
        var (group, times) = (new FunnelGroup(funnel.Steps.Count), 0L);
        await ScanRows(readFunnelVisits, row =>
        {
            var microseconds = JsonSerializer.Deserialize<long[]>(row.GetString(0))!;
            times += group.Add(Array.ConvertAll(microseconds, time => time * TimeSpan.TicksPerMicrosecond));
            return times <= timesMax;
        }, cancellation, Parameter("funnel", funnel.Id), Parameter("from", from), Parameter("to", to));
        return times > timesMax ? null : new(FunnelGroup.Sum([group], funnel.Steps.Count), [], null);
    }

    /// <summary>Whether any funnel is kept, or something is left of one.</summary>
    public async Task<bool> HasFunnels() => (await Query(hasFunnels, row => row.GetBoolean(0)))[0];

    /// <summary>The numbers of the oldest and the newest change that is not folded; null if there is none.</summary>
    public Task<(long Oldest, long Newest)?> ReadFunnelChanges() => ReadDeltas(readChangeNumbers);

    /// <summary>
    /// Folds the histories of changed fingerprints anew, in one transaction, up to <paramref name="limit"/> changes.
    /// Does nothing while another silo folds.
    /// </summary>
    /// <returns>How many changes there were: fewer than the limit if that was all.</returns>
    public Task<int> FoldFunnels(int limit) => InFoldersTurn(async at =>
    {
        var changes = await Query(at, readChanges, row => (Id: row.GetInt64(0), Fingerprint: row.GetString(1)),
            Parameter("limit", limit));
        if (changes.Count == 0) return null;
        var funnels = await Query(at, readFunnels, ReadFunnel);
        var folded = await Fold(at, funnels, [.. changes.Select(change => change.Fingerprint).Distinct()]);
        return new(folded.Visits, folded.IsAll ? changes.Count : limit, writing => Execute(writing, deleteChanges,
            Parameter("last", changes[^1].Id), Texts("fingerprints", folded.Fingerprints)));
    });

    /// <summary>
    /// Folds the next fingerprints of the log for a funnel whose past is not folded yet, in one transaction. Does
    /// nothing while another silo folds.
    /// </summary>
    /// <returns>How many fingerprints: fewer than the limit if that was all.</returns>
    public Task<int> FillFunnel(int limit) => InFoldersTurn(async at =>
    {
        if ((await Query(at, readFunnels, ReadFunnel)).Find(one => !one.IsFilled) is not { } funnel) return null;
        var fingerprints = await Query(at, readFingerprints, row => row.GetString(0),
            Parameter("after", funnel.FilledTo!), Parameter("limit", limit));
        var folded = await Fold(at, [funnel], fingerprints);
        var isFilled = folded.IsAll && fingerprints.Count < limit;
        return new(folded.Visits, limit, writing => Execute(writing, noteFilled, Parameter("funnel", funnel.Id),
            Optional("filled_to", isFilled ? null : folded.Fingerprints[^1])));
    });

    /// <summary>Removes what is left of a funnel that was removed or replaced, up to a number of rows.</summary>
    /// <returns>How many: fewer than the limit if that was all.</returns>
    public Task<int> ForgetFunnel(int limit) => InFoldersTurn(async at =>
        await Query(at, readDropped, row => row.GetInt32(0)) is not [var id] ? null
            : new([], limit, async writing =>
            {
                if (await Execute(writing, deleteDropped, Parameter("funnel", id), Parameter("limit", limit)) == 0)
                    await Execute(writing, deleteFunnel, Parameter("funnel", id));
            }));

    /// <param name="Done">What to say of it.</param>
    /// <param name="Finish">Notes that it is done.</param>
    private sealed record FoldStep(IReadOnlyList<FunnelVisit> Visits, int Done, Func<DbTransaction, Task> Finish);

    // One silo at a time, and no erasure meanwhile: what is read of a fingerprint is still there when it is written.
    private async Task<int> InFoldersTurn(Func<DbTransaction, Task<FoldStep?>> find) =>
        (await Remove([], async at => await TryLockFunnels(at) ? await find(at) : null, async (at, step) =>
        {
            if (step is null) return null;
            foreach (var some in step.Visits.Chunk(RemovedMax)) await Put(at, some);
            await step.Finish(at);
            return step;
        }))?.Done ?? 0;

    private Task<int> Put(DbTransaction at, IEnumerable<FunnelVisit> visits) =>
        Execute(at, putFunnelVisits, Parameter("visits", JsonSerializer.Serialize(visits.Select(visit => new object[]
        {
            visit.Funnel, visit.Day, visit.Fingerprint, visit.Times.Length,
            visit.Reached.ToString(TimeFormat, CultureInfo.InvariantCulture), visit.Sequence, visit.Times,
        }))));

    /// <param name="Fingerprints">Those whose events are folded.</param>
    /// <param name="IsAll">Whether these are all that were asked for.</param>
    private sealed record Folded(List<FunnelVisit> Visits, IReadOnlyList<string> Fingerprints, bool IsAll);

    private async Task<Folded> Fold(
        DbTransaction at, IReadOnlyList<KeptFunnel> funnels, IReadOnlyList<string> fingerprints)
    {
        var visits = new List<FunnelVisit>();
        var folds = funnels.Select(funnel => new FunnelFold(funnel, Calendar, visits.Add)).ToList();
        var begun = new List<string>();
        var isAll = true;
        await ReadRows(at, readFunnelEvents, row =>
        {
            var fingerprint = row.GetString(0);
            if (begun.Count == 0 || begun[^1] != fingerprint)
            {
                foreach (var fold in folds) fold.Finish();
                if (visits.Count > FoldedVisitsMax) return isAll = false;
                begun.Add(fingerprint);
            }
            var (occurred, json) = (ReadTime(row, 2), row.IsDBNull(5) ? null : row.GetString(5));
            foreach (var fold in folds)
                fold.Add(fingerprint, row.GetInt64(1), occurred, row.GetString(3), row.GetString(4), json);
            return true;
        }, Texts("fingerprints", fingerprints),
            Texts("actions", funnels.SelectMany(funnel => funnel.Steps).Select(step => step.Action).Distinct()),
            Parameter("with_properties", folds.Exists(fold => fold.ReadsProperties)));
        foreach (var fold in folds) fold.Finish();
        return new(visits, isAll ? fingerprints : begun, isAll);
    }

    private KeptFunnel ReadFunnel(DbDataReader row) => new(row.GetString(1),
        JsonSerializer.Deserialize<List<FunnelStep>>(row.GetString(2))!, row.IsDBNull(3) ? null : row.GetString(3),
        TimeSpan.FromMinutes(row.GetInt32(4)))
    {
        Id = row.GetInt32(0), FilledTo = row.IsDBNull(5) ? null : row.GetString(5),
    };

    private static string Write(IReadOnlyList<FunnelStep> steps) => JsonSerializer.Serialize(steps);

    /// <summary>Until the transaction ends, nobody else folds funnels. False if somebody does.</summary>
    protected virtual Task<bool> TryLockFunnels(DbTransaction at) => Task.FromResult(true);

    /// <summary>The same, and waits.</summary>
    protected virtual Task LockFunnels(DbTransaction at) => Task.CompletedTask;
}
