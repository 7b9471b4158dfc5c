using CsCheck;
using Orleans.Core.Internal;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>Old events leave the log, but everything that they were counted in stays.</summary>
public sealed class Pruning(PostgresServer server)
{
    private static readonly Limits Small = new() { RememberedEventsMax = 8, SnapshotEventsMax = 4, PageEventsMax = 5 };
    private static readonly DateTime Cutoff = EventSamples.Noon;

    [Theory, EachStorage]
    public async Task Loads_and_appends_go_on_from_what_the_pruned_events_add_up_to(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        await using var log = RunningLog.Start(silo.Database);
        // Events before and after the cutoff. What is left is nothing, fewer than are remembered, or more.
        var writers = new List<FingerprintWriter>();
        foreach (var (old, young) in ((int, int)[])[(0, 3), (1, 0), (3, 0), (20, 0), (3, 2), (3, 20), (20, 20), (20, 8),
            (20, 7)])
        {
            writers.Add(new($"f{old}-{young}"));
            await writers[^1].Record(log.Commit, Enumerable.Range(0, old + young).Select(i => Event(i, old: i < old)));
        }
        await silo.Snapshots.Write(silo.GrainId("f20-20"),
            new(writers.Single(one => one.Fingerprint == "f20-20").State.Copy()));
        string[] names = [.. writers.Select(one => one.Fingerprint).Order(StringComparer.Ordinal)];
        long steps = 0, pruned = 0;
        for (var more = true; more; steps++)
        {
            var step = (await silo.Database.Storage.Prune(names, Cutoff, 6))!;
            (pruned, more) = (pruned + step.Events, step.HasMore);
            foreach (var writer in writers)
                Assert.True(
                    (await silo.History.Load(writer.Fingerprint)).State.SameAs(
                        writer.State), writer.Fingerprint);
            await RunningLog.AssertProven(silo.Database);
        }
        Assert.Equal((4, 90), (steps, pruned));
        Assert.Equal(new Pruned(0, false), await silo.Database.Storage.Prune(names, Cutoff, 6));
        Assert.Equal(["f1-0", "f20-0", "f3-0"], await silo.Database.Storage.ReadFullyPruned("", 10));
        Assert.Equal(["f20-0"], await silo.Database.Storage.ReadFullyPruned("f1-0", 1));

        foreach (var writer in writers)
        {
            var head = writer.State.Sequence;
            // Neither a writer that knows nothing of the fingerprint nor a stale one brings a pruned sequence back.
            Assert.Equal(AppendOutcome.Fenced,
                (await log.Commit.Append(new FingerprintWriter(writer.Fingerprint).Decide(1))).Outcome);
            if (head > 1)
            {
                var behind = new FingerprintWriter(writer.Fingerprint);
                behind.Fold(behind.Decide((int)head - 1));
                Assert.Equal(AppendOutcome.Fenced, (await log.Commit.Append(behind.Decide(2))).Outcome);
            }
            Assert.Equal(new(RecordOutcome.Recorded, head + 1),
                await silo.Grain(writer.Fingerprint).Record(EventSamples.View("next")));
            Assert.Equal(head + 1, (await silo.Grain(writer.Fingerprint).View()).View!.Total);
        }
        // A pruned event's id counts again; the id of one that is still there does not.
        Assert.Equal(new(RecordOutcome.Recorded, 22), await silo.Grain("f20-0").Record(Event(0, old: true)));
        Assert.Equal(new(RecordOutcome.Duplicate, 21), await silo.Grain("f20-20").Record(Event(20, old: false)));
        Assert.Equal(new Removed(2, 0, 5, false), (await silo.Grain("f20-0").Erase(false)).Removed);
        await AppProcess.AssertVerifies(at);
        Assert.Empty(
            await at.Query("select fingerprint from pruned where fingerprint = 'f20-0'", row => row.GetString(0)));
    }

    [Theory, EachStorage]
    public async Task The_walk_over_all_fingerprints_finds_each_with_its_ages(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        string[] names = ["", "a", "aa", "b", "é", "ﬀ", "😀"];
        foreach (var (i, name) in names.Index().Skip(1))
            await new FingerprintWriter(name).Record(log.Commit,
                EventSamples.View() with { Created = Cutoff.AddDays(-i) }, EventSamples.View(),
                EventSamples.View(occurred: Cutoff.AddHours(i)));
        var found = new List<AgeOfFingerprint>();
        for (var after = ""; ; after = found[^1].Fingerprint)
        {
            var some = await database.Storage.ReadAges(after, 2);
            found.AddRange(some);
            if (some.Count < 2) break;
        }
        Assert.Equal(
            names.Index().Skip(1)
                .Select(one => new AgeOfFingerprint(one.Item, Cutoff.AddDays(-one.Index), Cutoff.AddHours(one.Index))),
                found);
    }

    [Theory, EachStorage]
    public async Task Beside_loads_and_appends_nothing_is_seen_of_it(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, Small);
        await using var log = RunningLog.Start(silo.Database);
        var writer = new FingerprintWriter("a");
        await writer.Record(log.Commit, Enumerable.Range(0, 100).Select(i => Event(i, old: true)));
        var pruning = Task.Run(async () =>
        {
            for (var pruned = 0L; pruned < 100;)
                pruned += (await silo.Database.Storage.Prune(["a"], Cutoff, 1))?.Events ?? 0;
        });
        for (var i = 0; i < 20 || !pruning.IsCompleted; i++)
        {
            Assert.True((await silo.History.Load("a")).State.SameAs(writer.State));
            await writer.Record(log.Commit, EventSamples.View());
        }
        await pruning;
        await RunningLog.AssertProven(silo.Database);
    }

    private enum Deed { Post, Prune, Erase, Leave }

    // What is done, mostly posting; one of a few ids; and its age in days.
    private static readonly Gen<(Deed Deed, int Id, int Age)[]> Deeds = Gen.Select(
        Gen.Frequency((12, Gen.Const(Deed.Post)), (3, Gen.Const(Deed.Prune)), (1, Gen.Const(Deed.Erase)),
            (2, Gen.Const(Deed.Leave))),
        Gen.Int[0, 15], Gen.Int[0, 9]).Array[1, 40];

    [Theory, EachStorage]
    public async Task Any_history_with_erasures_and_pruning_is_what_a_plain_model_says(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo =
            await RunningSilo.Start(at,
                new Limits { RememberedEventsMax = 3, SnapshotEventsMax = 2, PageEventsMax = 2 });
        var fingerprints = 0;
        await Deeds.SampleAsync(async deeds =>
        {
            var model = new Model(silo, $"f{Interlocked.Increment(ref fingerprints)}");
            foreach (var (deed, id, age) in deeds)
            {
                await (deed switch
                {
                    Deed.Post => model.Post(id, age),
                    Deed.Prune => model.Prune(age),
                    Deed.Erase => model.Erase(),
                    _ => model.Leave(),
                });
                await model.Check();
                await RunningLog.AssertProven(silo.Database);
            }
        }, iter: 25, threads: 2);
        await AppProcess.AssertVerifies(at);
    }

    private sealed class Model(RunningSilo silo, string fingerprint)
    {
        private readonly List<Event> log = [];
        private FingerprintState state = new();
        private int pruned; // number of pruned events

        private IFingerprintGrain Grain => silo.Grain(fingerprint);

        public async Task Post(int id, int age)
        {
            var e = EventSamples.View($"id-{id}", action: $"action-{id % 2}",
                occurred: Cutoff.AddDays(-age).AddHours(-id)) with
            { Created = Cutoff.AddDays(-age) };
            RecordResult result = default;
            await Eventually.True(async () => (result = await Grain.Record(e)).Outcome != RecordOutcome.SteppedDown,
                "there is no successor");
            var known = log.FindLastIndex(one => one.Id == e.Id) + 1;
            // The grain may still remember a pruned event.
            if (known > pruned || result.Outcome != RecordOutcome.Recorded)
            {
                Assert.Equal(new(RecordOutcome.Duplicate, known), result);
                return;
            }
            Assert.Equal(new(RecordOutcome.Recorded, log.Count + 1), result);
            log.Add(e);
            state.Apply(new(fingerprint, log.Count, e), Calendar.Utc);
        }

        public async Task Prune(int age)
        {
            var expected = log.Skip(pruned).TakeWhile(e => e.Created < Cutoff.AddDays(-age)).Count();
            for (var more = true; more;)
            {
                var step = (await silo.Database.Storage.Prune([fingerprint], Cutoff.AddDays(-age), 2))!;
                (expected, pruned, more) = (expected - (int)step.Events, pruned + (int)step.Events, step.HasMore);
            }
            Assert.Equal(0, expected);
        }

        public async Task Erase()
        {
            EraseResult result = default;
            await Eventually.True(async () =>
                (result = await Grain.Erase(suppress: false)).Outcome != EraseOutcome.SteppedDown,
                "there is no successor");
            Assert.Equal(log.Count - pruned, result.Removed!.Events);
            log.Clear();
            (state, pruned) = (new(), 0);
        }

        public async Task Leave() => await Grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle();

        public async Task Check()
        {
            ViewResult view = default;
            await Eventually.True(async () => (view = await Grain.View()).Outcome != ViewOutcome.SteppedDown,
                "there is no successor");
            Assert.Equal(log.Count == 0 ? ViewOutcome.Unknown : ViewOutcome.Known, view.Outcome);
            if (log.Count > 0) Assert.Equivalent(state.ToView(fingerprint), view.View, strict: true);
            Assert.Equal(log.Skip(pruned),
                (await silo.Database.Storage.ReadAfter(fingerprint, 0, 100)).Select(recorded => recorded.Event));
        }
    }

    [Theory, EachStorage]
    public async Task The_process_prunes_by_itself_and_forgets_who_was_not_seen_for_long(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var now = DateTime.UtcNow;
        now = now.AddTicks(-(now.Ticks % TimeSpan.TicksPerSecond));
        await using (var database = await at.OpenPrepared())
        {
            await using var log = RunningLog.Start(database);
            foreach (var (name, count) in ((string, int)[])[("old", 25), ("both", 25), ("gone", 4)])
                await new FingerprintWriter(name).Record(log.Commit,
                    Enumerable.Range(0, count).Select(i => Aged(now.AddDays(name == "gone" ? -30 : -3))));
            await new FingerprintWriter("young").Record(log.Commit, Aged(now), Aged(now));
            var both = new FingerprintWriter("both");
            both.Fold(await database.Storage.ReadAfter("both", 0, 100));
            await both.Record(log.Commit, Aged(now));
        }
        await using var app = await AppProcess.Start(at,
            new()
            {
                ["Limits__PruneEventsMax"] = "10", ["Limits__PruneFingerprintsMax"] = "2",
                ["Limits__PruneStepsPerSecondMax"] = "100", ["Limits__PrunePauseSeconds"] = "1"
            },
            flags: ["-retention=2d", "-forgetAfter=20d"]);
        await Eventually.True(async () =>
            (await at.Query("select fingerprint, sequence from events order by 1, 2",
                row => $"{row.GetString(0)} {row.GetInt64(1)}"))
            .SequenceEqual(["both 26", "young 1", "young 2"]), () => "not pruned: " + app.Output);
        await Eventually.True(async () => (await app.View("gone")).Status == 404, "not forgotten");
        foreach (var (name, total) in ((string, int)[])[("old", 25), ("both", 26), ("young", 2)])
            Assert.Equal(total, (await app.View(name)).Body.GetProperty("total").GetInt64());
        Assert.Equal(26, (await app.PostForm("action=view&product=k8s&fingerprint=old")).Sequence);
        Assert.Equal((200, 1),
            ((await app.Get("/api/fingerprints/both/events")).Status,
                (await app.Get("/api/fingerprints/both/events")).Body.GetProperty("events").GetArrayLength()));
        // A fully pruned fingerprint is forgotten too, once it is old enough.
        await at.Execute("delete from events where fingerprint = 'old'");
        Assert.Equal(0, await app.Terminate());
        app.AssertLoggedNo("fail:");
        Assert.Contains("Retention removed", app.Output);

        await using var later =
            await AppProcess.Start(at,
                new() { ["Limits__PrunePauseSeconds"] = "1", ["Limits__PruneStepsPerSecondMax"] = "100" },
                flags: ["-forgetAfter=1d"]);
        await Eventually.True(async () =>
            (await at.Query("select fingerprint from pruned", row => row.GetString(0))).SequenceEqual(["both"]),
            "not forgotten: " + later.Output);
        Assert.Equal(0, await later.Terminate());

        static Event Aged(DateTime time) => EventSamples.View(occurred: time) with { Created = time };
    }

    private static Event Event(int i, bool old) =>
        EventSamples.View($"e{i}", action: $"action-{i % 3}", occurred: Cutoff.AddHours(-5 * i)) with
        {
            Created = old ? Cutoff.AddMicroseconds(-1) : Cutoff,
        };
}
