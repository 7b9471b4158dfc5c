using System.Text;
using Orleans.Storage;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>Nothing is left of an erased fingerprint, and no stale writer brings anything back.</summary>
public sealed class Erasing(PostgresServer server)
{
    private const string Person = "person-8f3b21";
    private const string Secret = "mail-of-8f3b21@example.org";
    private const int Page = 7;

    // Snapshots come early, and some ids are older than what is remembered.
    private static readonly Limits Small =
        new() { RememberedEventsMax = 8, SnapshotEventsMax = 4, PageEventsMax = Page };

    [Theory, EachStorage]
    public async Task Nothing_of_it_is_left_anywhere_and_totals_stay(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        long[] totals;
        await using (var silo = await RunningSilo.Start(at, Small))
        {
            await RecordPerson(silo, 30);
            for (var i = 0; i < 30; i++) await silo.Grain($"neighbour-{i}").Record(EventSamples.View());
            // an old repeat
            Assert.Equal(new(RecordOutcome.Duplicate, 1), await silo.Grain(Person).Record(PersonsEvent(0)));
            await Eventually.True(async () => (await silo.Snapshots.Read(silo.GrainId(Person))).State!.Sequence > 0,
                "no snapshot was written");
            await silo.Database.Storage.MergeRollups(3); // some deltas are merged, and some are not
            await silo.Database.Storage.MergeVisits(3);
            Assert.NotEqual("", await Traces(at));
            totals = await Totals(at);

            var result = await silo.Grain(Person).Erase(suppress: false);
            Assert.Equal((EraseOutcome.Erased, new Removed(30, 1, 7, false)), (result.Outcome, result.Removed));
            Assert.Equal(ViewOutcome.Unknown, (await AskSuccessor(silo)).Outcome);
            Assert.Equal(new Removed(0, 0, 0, false),
                (await Successor(silo, grain => grain.Erase(suppress: false),
                    result => result.Outcome is EraseOutcome.SteppedDown)).Removed);
            if (storage == StorageKind.Sqlite) Assert.Equal("", await Traces(at)); // also while it serves
        }
        Assert.Equal("", await Traces(at)); // stopping the silo has written nothing either
        Assert.Equal(totals, await Totals(at));
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task It_begins_anew_and_its_ids_count_again(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        await RecordPerson(silo, 20);
        Assert.Equal(EraseOutcome.Erased, (await silo.Grain(Person).Erase(suppress: false)).Outcome);
        for (var i = 0; i < 9; i++)
            Assert.Equal(new(RecordOutcome.Recorded, i + 1), await Record(silo, PersonsEvent(i)));
        Assert.Equal(9, (await AskSuccessor(silo)).View!.Total);
        Assert.Equal([2L],
            await at.Query("select cast(sum(new_fingerprints) as bigint) from (select new_fingerprints from rollups "
            // it was new twice
            + "union all select new_fingerprints from rollup_deltas) as parts", row => row.GetInt64(0)));
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task A_suppressed_one_is_refused_from_then_on_and_only_a_keyed_hash_is_kept(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var silo = await RunningSilo.Start(at, Small))
        {
            await RecordPerson(silo, 3);
            Assert.Equal(new Removed(3, 0, 1, true), (await silo.Grain(Person).Erase(suppress: true)).Removed);
            Assert.Equal(RecordOutcome.Suppressed, (await Record(silo, PersonsEvent(0))).Outcome);
            Assert.All(await silo.Grain(Person).RecordAll([PersonsEvent(1), PersonsEvent(2)]),
                one => Assert.Equal(RecordOutcome.Suppressed, one.Outcome));
            Assert.Equal(RecordOutcome.Recorded, (await silo.Grain("another").Record(EventSamples.View())).Outcome);
            // An erasure without suppression does not lift an earlier one.
            Assert.Equal(new Removed(0, 0, 0, true), (await silo.Grain(Person).Erase(suppress: false)).Removed);
            Assert.Equal(RecordOutcome.Suppressed, (await Record(silo, PersonsEvent(0))).Outcome);
        }
        await using (var silo = await RunningSilo.Start(at, Small))
            Assert.Equal(RecordOutcome.Suppressed, (await Record(silo, PersonsEvent(0))).Outcome);
        Assert.Equal("", await Traces(at));
        Assert.Single(await at.Query("select hash from suppressions", row => row.GetFieldValue<byte[]>(0)));
    }

    [Theory, EachStorage]
    public async Task An_activation_that_does_not_know_brings_nothing_back(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        await using var log = RunningLog.Start(silo.Database);
        foreach (var events in (int[])[1, 5])
        {
            var stale = new FingerprintWriter($"f{events}");
            await stale.Record(log.Commit, EventSamples.Views(events));
            var snapshot = new GrainState<FingerprintState>(stale.State.Copy());
            await silo.Snapshots.Write(silo.GrainId($"f{events}"), snapshot);
            Assert.Equal(new Removed(events, 1, 1, false),
                await silo.Database.Storage.Erase($"f{events}", events, false, Page));

            // By itself, and in one batch with valid runs.
            Assert.Equal(AppendOutcome.Fenced, (await log.Commit.Append(stale.Decide(2))).Outcome);
            var batch = RunningLog.Queueing(silo.Database);
            Task<AppendResult>[] appends = [batch.Append(stale.Decide(1)),
                batch.Append(new FingerprintWriter($"other-{events}").Decide(2))];
            batch.Start();
            Assert.Equal([AppendOutcome.Fenced, AppendOutcome.Recorded],
                (await Task.WhenAll(appends)).Select(result => result.Outcome));
            await batch.Close();
            snapshot.State = stale.State.Copy();
            await Assert.ThrowsAsync<InconsistentStateException>(() =>
                silo.Snapshots.Write(silo.GrainId($"f{events}"), snapshot));
            await Assert.ThrowsAsync<InconsistentStateException>(() =>
                silo.Snapshots.Write(silo.GrainId($"f{events}"), new(stale.State.Copy())));
            Assert.Empty(
                await at.Query($"select grain_key from snapshots where grain_key = '~f{events}'",
                    row => row.GetString(0)));
            Assert.Empty(await silo.Database.Storage.ReadAfter($"f{events}", 0, 10));

            // Nor if its sequences would continue what the successor has recorded, in the same batch.
            var successor = new FingerprintWriter($"f{events}");
            var together = RunningLog.Queueing(silo.Database);
            Task<AppendResult>[] both = [together.Append(successor.Decide(events)), together.Append(stale.Decide(1))];
            together.Start();
            Assert.Equal([AppendOutcome.Recorded, AppendOutcome.Fenced],
                (await Task.WhenAll(both)).Select(result => result.Outcome));
            await together.Close();
            // A head that is too low or too high erases nothing.
            Assert.Null(await silo.Database.Storage.Erase($"f{events}", events - 1, false, Page));
            Assert.Null(await silo.Database.Storage.Erase($"f{events}", events + 1, false, Page));
            Assert.Equal(events, (await silo.Database.Storage.ReadAfter($"f{events}", 0, 10)).Count);
        }
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task Of_an_erasure_and_an_append_at_once_one_gives_way(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        await using var others = RunningLog.Start(database);
        var (erased, appended) = (0, 0);
        // Each has a lead in turn, which grows until it decides who is first on any machine.
        for (var round = 0; round < 60 || erased == 0 || appended == 0; round++)
        {
            Assert.True(round < 1_000, $"{erased} erased, {appended} appended");
            var lead = TimeSpan.FromMilliseconds(round);
            var (erasureWaits, appendWaits) = round % 2 == 0 ? (lead, TimeSpan.Zero) : (TimeSpan.Zero, lead);
            var writer = new FingerprintWriter($"f{round}");
            await writer.Record(log.Commit, EventSamples.Views(3));
            // Meanwhile another silo commits, and the erasure comes somewhere between its commits.
            var beside = others.Commit.Append(new FingerprintWriter($"beside-{round}").Decide(50));
            var erasing = Task.Run(async () =>
            {
                await Task.Delay(erasureWaits);
                return await database.Storage.Erase(writer.Fingerprint, 3, false, Page);
            });
            var appending = Task.Run(async () =>
            {
                await Task.Delay(appendWaits);
                return await log.Commit.Append(writer.Decide(2));
            });
            var outcome = (await appending).Outcome;
            var removed = await erasing;
            Assert.Equal(AppendOutcome.Recorded, (await beside).Outcome);
            Assert.Equal(removed is null ? AppendOutcome.Recorded : AppendOutcome.Fenced, outcome);
            Assert.Equal(removed is null ? 5 : 0, (await database.Storage.ReadAfter($"f{round}", 0, 10)).Count);
            (erased, appended) = removed is null ? (erased, appended + 1) : (erased + 1, appended);
        }
        await RunningLog.AssertProven(database);
    }

    // How long it takes depends on the machine, so the history grows until enough events are posted meanwhile.
    [Theory, EachStorage]
    public async Task While_a_long_history_is_read_events_are_recorded_and_the_log_can_be_written(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var besides = new FingerprintWriter("beside");
        var beside = 0;
        for (var length = 10_000; beside < 20 && length <= 160_000; length *= 2)
        {
            var leaving = new FingerprintWriter($"of-{length}");
            for (var i = 0; i < length; i += 1_000)
                await leaving.Record(log.Commit,
                    Enumerable.Range(i, 1_000)
                        .Select(n => EventSamples.View(occurred: EventSamples.Noon.AddMinutes(n % 500))));
            beside = 0;
            var erasing =
                Task.Run(() => database.Storage.Erase(leaving.Fingerprint, length, suppress: false, pageEvents: 1));
            while (!erasing.IsCompleted)
            {
                await besides.Record(log.Commit, EventSamples.View());
                await database.Storage.CheckWritable(CancellationToken.None); // what readiness asks
                if (!erasing.IsCompleted) beside++;
            }
            Assert.Equal(length, (await erasing)!.Events);
        }
        Assert.True(beside >= 20, $"Only {beside} events were recorded while the history was read.");
        await RunningLog.AssertProven(database);
    }

    private static Event PersonsEvent(int i) =>
        EventSamples.View($"id-{i}", action: $"action-{i % 3}",
            occurred: EventSamples.Noon.AddHours(-5 * i)) with
        { Properties = $$"""{"mail":"{{Secret}}","n":{{i}}}""" };

    private static async Task RecordPerson(RunningSilo silo, int events)
    {
        for (var i = 0; i < events; i++)
            Assert.Equal(new(RecordOutcome.Recorded, i + 1), await silo.Grain(Person).Record(PersonsEvent(i)));
    }

    private static Task<RecordResult> Record(RunningSilo silo, Event e) =>
        Successor(silo, grain => grain.Record(e), result => result.Outcome == RecordOutcome.SteppedDown);

    private static Task<ViewResult> AskSuccessor(RunningSilo silo) =>
        Successor(silo, grain => grain.View(), result => result.Outcome == ViewOutcome.SteppedDown);

    // Like the front end: if the grain has stepped down, calls the next activation.
    private static async Task<T> Successor<T>(RunningSilo silo, Func<IFingerprintGrain, ValueTask<T>> call,
        Func<T, bool> steppedDown)
    {
        T? result = default;
        await Eventually.True(async () => !steppedDown(result = await call(silo.Grain(Person))),
            "there is no successor");
        return result!;
    }

    private static async Task<long[]> Totals(TestDatabase at) => [.. (await at.Query("""
        select minute, action, sum(events) from (select minute, action, events from rollups
            union all select minute, action, events from rollup_deltas) as parts
        group by minute, action order by minute, action
        """, row => Convert.ToInt64(row.GetValue(2), null)))];

    // Every trace of the person in a dump of the database, or in SQLite's files.
    private static async Task<string> Traces(TestDatabase at)
    {
        string[] traces = [Person, Secret, Convert.ToHexString(Encoding.UTF8.GetBytes(Person)),
            Convert.ToHexString(Encoding.UTF8.GetBytes(Secret)),
            .. Enumerable.Range(0, 30).Select(i => PersonsEvent(i).Id.ToString())];
        var dump = await at.Dump();
        return string.Join("; ", traces.Where(trace => dump.Contains(trace, StringComparison.OrdinalIgnoreCase)));
    }
}
