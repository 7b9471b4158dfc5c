using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>However a history is loaded, it is the fold of its log.</summary>
public sealed class LoadingHistory(PostgresServer server)
{
    // Small pages, so that a fold without a snapshot takes several.
    private static readonly Limits Small = new() { RememberedEventsMax = 8, SnapshotEventsMax = 4, PageEventsMax = 5 };

    [Theory, EachStorage]
    public async Task A_short_history_needs_no_snapshot(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        foreach (var count in (int[])[0, 1, 7])
        {
            var writer = await Recorded(silo, $"short-{count}", count);
            var loaded = await silo.History.Load($"short-{count}");
            Assert.True(loaded.State.SameAs(writer.State));
            Assert.Equal(count, loaded.Newest.Count);
            Assert.Null(loaded.Stored);
        }
    }

    [Theory, EachStorage]
    public async Task A_long_history_is_its_snapshot_and_the_events_after_it(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        foreach (var (snapshotAt, total) in ((int, int)[])[(8, 8), (30, 30), (26, 30), (22, 30), (21, 30), (3, 30),
            (0, 30)])
        {
            var fingerprint = $"long-{snapshotAt}-{total}";
            var writer = await Recorded(silo, fingerprint, total);
            if (snapshotAt > 0) await WriteSnapshot(silo, fingerprint, await FoldOf(silo, fingerprint, snapshotAt));
            // Now only the snapshot holds these. The load must not need them from the log.
            if (snapshotAt >= 22)
                await at.Execute($"delete from events where fingerprint = '{fingerprint}' and sequence <= 20");

            var loaded = await silo.History.Load(fingerprint);
            Assert.True(loaded.State.SameAs(writer.State), fingerprint);
            Assert.Equal(Enumerable.Range(total - 7, 8).Select(n => (long)n), loaded.Newest.Select(r => r.Sequence));
            Assert.Equal(snapshotAt, loaded.SnapshotSequence);
            Assert.False(ReferenceEquals(loaded.State, loaded.Stored!.State));
        }
    }

    [Theory, EachStorage]
    public async Task A_snapshot_ahead_of_the_log_is_not_believed(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        var writer = await Recorded(silo, "a", 12);
        var ahead = writer.State.Copy();
        foreach (var recorded in writer.Decide(3)) ahead.Apply(recorded, Calendar.Utc);
        await WriteSnapshot(silo, "a", ahead);
        var loaded = await silo.History.Load("a");
        Assert.True(loaded.State.SameAs(writer.State));
        Assert.Equal(0, loaded.SnapshotSequence); // so the next event writes another snapshot

        Assert.Equal(RecordOutcome.Recorded, (await silo.Grain("a").Record(Event(12))).Outcome);
        await Eventually.True(async () => (await silo.Snapshots.Read(silo.GrainId("a"))).State!.Sequence == 13,
            "the snapshot stayed ahead");
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task A_grain_writes_snapshots_and_loads_the_same_with_and_without_them(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        FingerprintState expected;
        await using (var silo = await RunningSilo.Start(at, Small))
        {
            for (var i = 0; i < 30; i++)
                Assert.Equal(new(RecordOutcome.Recorded, i + 1), await silo.Grain("a").Record(Event(i)));
            await silo.Grain("b").Record(Event(0)); // a visitor with one event
            expected = await FoldOf(silo, "a", 30);
        }
        // Deactivation writes snapshots too, but not for one event.
        Assert.Equal(["~a"], await at.Query("select grain_key from snapshots", row => row.GetString(0)));
        await AssertLoads();
        await at.Execute("delete from snapshots");
        await AssertLoads();
        await AppProcess.AssertVerifies(at);

        async Task AssertLoads()
        {
            await using var silo = await RunningSilo.Start(at, Small);
            Assert.Equivalent(expected.ToView("a"), (await silo.Grain("a").View()).View, strict: true);
            // older than what it remembers
            Assert.Equal(new(RecordOutcome.Duplicate, 2), await silo.Grain("a").Record(Event(1)));
            Assert.Equal(new(RecordOutcome.Duplicate, 30), await silo.Grain("a").Record(Event(29)));
            Assert.Equal(new(RecordOutcome.IdConflict, 2),
                await silo.Grain("a").Record(Event(1) with { Action = "buy" }));
        }
    }

    [Theory, EachStorage]
    public async Task One_read_has_the_events_of_some_and_what_is_left_of_the_others(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var (present, pruned, partly, erased) = (new FingerprintWriter("present"), new FingerprintWriter("pruned"),
            new FingerprintWriter("partly"), new FingerprintWriter("erased"));
        var cutoff = EventSamples.Noon.AddMinutes(1);
        foreach (var writer in (FingerprintWriter[])[present, pruned, partly, erased])
            await writer.Record(log.Commit, EventSamples.Views(3));
        await partly.Record(log.Commit, EventSamples.View() with { Created = cutoff });
        Assert.Equal(6, (await database.Storage.Prune(["partly", "pruned"], cutoff, 10))!.Events);
        string[] asked = ["erased", "new", "partly", "present", "pruned"];

        var newest = await database.Storage.ReadNewest(asked, 2);
        Assert.Equal(["erased 3", "erased 2", "partly 4", "present 3", "present 2"], Lines(newest));
        Assert.Equal("pruned", Assert.Single(newest.Remains).Key);
        Assert.True(newest.Remains["pruned"].Pruned!.SameAs(pruned.State));

        foreach (var suppress in (bool[])[false, true]) // in the second round a fingerprint is suppressed
        {
            Assert.Equal(suppress ? 0 : 3,
                (await database.Storage.Erase("erased", suppress ? 0 : 3, suppress, 10))!.Events);
            newest = await database.Storage.ReadNewest(asked, 2);
            Assert.Equal(["partly 4", "present 3", "present 2"], Lines(newest));
            Assert.Equal(suppress ? ["erased", "pruned"] : ["pruned"], newest.Remains.Keys.Order());
            Assert.True(newest.Remains["pruned"] is { Suppressed: false, Pruned: { } state }
                && state.SameAs(pruned.State));
            if (suppress) Assert.Equal(new(null, Suppressed: true), newest.Remains["erased"]);
        }
        Assert.Empty((await database.Storage.ReadNewest(["new"], 2)).Remains);
        Assert.Empty((await database.Storage.ReadNewest(["present"], 2)).Remains);

        static IEnumerable<string> Lines(NewestOfMany newest) =>
            newest.Events.OrderBy(of => of.Key, StringComparer.Ordinal)
                .SelectMany(of => of.Select(recorded => $"{of.Key} {recorded.Sequence}"));
    }

    private static Event Event(int i) =>
        EventSamples.View($"e{i}", action: $"action-{i % 3}", occurred: EventSamples.Noon.AddHours(-5 * i));

    private static async Task<FingerprintWriter> Recorded(RunningSilo silo, string fingerprint, int count)
    {
        var writer = new FingerprintWriter(fingerprint);
        await using var log = RunningLog.Start(silo.Database);
        if (count > 0) await writer.Record(log.Commit, Enumerable.Range(0, count).Select(Event));
        return writer;
    }

    private static async Task<FingerprintState> FoldOf(RunningSilo silo, string fingerprint, int sequence)
    {
        var state = new FingerprintState();
        foreach (var recorded in await silo.Database.Storage.ReadAfter(fingerprint, 0, sequence))
            state.Apply(recorded, Calendar.Utc);
        return state;
    }

    private static Task WriteSnapshot(RunningSilo silo, string fingerprint, FingerprintState state) =>
        silo.Snapshots.Write(silo.GrainId(fingerprint), new GrainState<FingerprintState>(state));
}
