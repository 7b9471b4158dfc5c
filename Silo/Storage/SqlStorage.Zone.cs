using System.Data.Common;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <param name="Events">All that the log has.</param>
/// <param name="Fingerprints">Theirs.</param>
public sealed record Recounted(long Events, long Fingerprints);

/// <summary>The time zone of days and hours. All silos on a database have the same.</summary>
public abstract partial class SqlStorage
{
    // As many as are folded before their visits and dimensions are merged, and rollups in one statement.
    private const int RecountedMax = 10_000;

    private readonly string keepTimeZone = scripts["keep_time_zone"];
    private readonly string readTimeZone = scripts["read_time_zone"];
    private readonly string putTimeZone = scripts["put_time_zone"];
    private readonly string hasRemoved = scripts["has_removed"];
    private readonly string emptyCounts = scripts["empty_counts"];

    /// <summary>By which events are counted here.</summary>
    public Calendar Calendar { get; private set; } = Calendar.Utc;

    /// <summary>From now on, events are counted by a calendar, unless the database keeps another zone's.</summary>
    /// <returns>The name of the zone that the database keeps.</returns>
    public async Task<string> CountIn(Calendar calendar)
    {
        var kept = (await Query(keepTimeZone, row => row.GetString(0), Parameter("name", calendar.Name)))[0];
        if (kept == calendar.Name) Calendar = calendar;
        return kept;
    }

    // Without one nothing was served yet, and so nothing counted.
    private async Task<Calendar> ReadCalendar() =>
        (await Query(readTimeZone, row => row.GetString(0))) is not [var name] ? Calendar.Utc
        : Calendar.Find(name)
        ?? throw new StartupException($"The database counts the days of {name}, a time zone that is not known here.");

    /// <summary>
    /// Counts the whole log anew by another calendar, in one durable transaction, while no silo runs. Snapshots go: the
    /// log can rebuild them.
    /// </summary>
    /// <param name="dailyValuesMax">Values of a dimension and product on a day.</param>
    /// <param name="progress">Told the number of events that are counted.</param>
    /// <returns>Null if something was erased or pruned: of what it gave the days nobody knows the hours.</returns>
    public Task<Recounted?> Recount(Calendar calendar, int dailyValuesMax, Action<long> progress)
    {
        (Calendar, valuesMax) = (calendar, dailyValuesMax);
        return Remove([], _ => Task.FromResult(true), (at, _) => Recount(at, progress));
    }

    private async Task<Recounted?> Recount(DbTransaction at, Action<long> progress)
    {
        await LockMerge(at);
        await RaiseRemovalEpoch(at);
        if ((await Query(at, hasRemoved, row => row.GetBoolean(0)))[0]) return null;
        await Execute(at, emptyCounts);
        await Execute(at, putTimeZone, Parameter("name", Calendar.Name));

        var rollups = new RollupDeltas(); // as many as a proof holds
        var page = new List<LogRow>();
        var state = new FingerprintState();
        var (fingerprint, events, fingerprints) = ("", 0L, 0L);
        await using var log = await OpenAudit(CancellationToken.None);
        await foreach (var logged in log.Events(CancellationToken.None))
        {
            var recorded = logged.Recorded;
            if (recorded.Fingerprint != fingerprint)
            {
                (fingerprint, state) = (recorded.Fingerprint, new());
                fingerprints++;
            }
            // The same decision as the grain's.
            rollups.Add(new Decisions(fingerprint, state, int.MaxValue, Calendar).Next(recorded.Event)!);
            state.Apply(recorded, Calendar);
            page.Add(logged);
            if (page.Count < RecountedMax) continue;
            progress(events += await Count(at, page));
        }
        progress(events += await Count(at, page));
        foreach (var some in rollups.Chunk(RecountedMax))
        {
            await AddDeltas(at, some);
            await Execute(at, mergeRollups, Parameter("limit", int.MaxValue));
        }
        await Execute(at, refillFunnels); // by the service, once it runs
        return new(events, fingerprints);
    }

    // As a commit and the merge do.
    private async Task<int> Count(DbTransaction at, List<LogRow> page)
    {
        await AddDeltas(at, VisitDelta.From([.. page.Select(logged => logged.Recorded)], Calendar));
        await Execute(at, mergeVisits, Parameter("limit", int.MaxValue));
        foreach (var ofSet in page.GroupBy(logged => logged.Dimensions.Id))
            if (DimensionDelta.From([.. ofSet.Select(logged => logged.Recorded)], ofSet.First().Dimensions, Calendar,
                new()) is { } delta)
                await AddDeltas(at, delta);
        await Execute(at, mergeDimensions, MergeParameters(int.MaxValue));
        var count = page.Count;
        page.Clear();
        return count;
    }

    protected abstract Task AddDeltas(
        DbTransaction at, IReadOnlyCollection<KeyValuePair<RollupKey, RollupCounts>> rollups);

    protected abstract Task AddDeltas(DbTransaction at, VisitDelta visits);

    protected abstract Task AddDeltas(DbTransaction at, DimensionDelta dimensions);
}
