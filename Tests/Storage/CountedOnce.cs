using CsCheck;
using Orleans.Core.Internal;
using Tally.Contracts;
using Tally.Grains;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The grain over a real log: each event counts once, whenever and however often it arrives.</summary>
public sealed class CountedOnce(PostgresServer server)
{
    // One of a few ids, one of two contents, and what happens before the next post.
    private static readonly Gen<(int Id, bool OtherContent, Then Then)[]> Posts = Gen.Select(Gen.Int[0, 11],
        Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))),
        Gen.Frequency((6, Gen.Const(Then.Nothing)), (6, Gen.Const(Then.ItsAnswer)), (2, Gen.Const(Then.Deactivation)),
            (6, Gen.Const(Then.OneMore)))).Array[1, 40];

    // OneMore: the next post goes in the same call.
    private enum Then { Nothing, ItsAnswer, Deactivation, OneMore }

    [Theory, EachStorage]
    public async Task Any_interleaving_with_repeats_counts_each_id_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        // Little memory and short runs, so that old repeats, snapshots, and loads with and without them all happen.
        await using var silo =
            await RunningSilo.Start(at,
                new Limits { RememberedEventsMax = 3, RunEventsMax = 3, SnapshotEventsMax = 2, PageEventsMax = 2 });
        var fingerprints = 0;
        await Posts.SampleAsync(async posts =>
        {
            var fingerprint = $"f{Interlocked.Increment(ref fingerprints)}";
            var answers = new List<Task<RecordResult[]>>();
            var together = new List<Event>();
            foreach (var post in posts.SkipLast(1).Append(posts[^1] with { Then = Then.Nothing }))
            {
                together.Add(Event(post.Id, post.OtherContent));
                if (post.Then == Then.OneMore) continue;
                answers.Add(Send(silo, fingerprint, [.. together]));
                together.Clear();
                if (post.Then == Then.ItsAnswer) await answers[^1];
                if (post.Then == Then.Deactivation) await Deactivate(silo.Grain(fingerprint));
            }
            await Check(silo, fingerprint, posts, [.. (await Task.WhenAll(answers)).SelectMany(some => some)]);
        }, iter: 60, threads: 4);
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task Many_threads_at_once_count_each_id_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo =
            await RunningSilo.Start(at,
                new Limits { RememberedEventsMax = 8, RunEventsMax = 5, SnapshotEventsMax = 4 });
        const int Ids = 200;
        var seed = Seed.Next();
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(thread => Task.Run(async () =>
        {
            var random = new Random(unchecked(seed * 31 + thread));
            var ids = Enumerable.Range(0, Ids).ToArray();
            random.Shuffle(ids);
            var mine = new List<(int Id, Task<RecordResult[]> Result)>();
            foreach (var id in ids)
            {
                mine.Add((id, Send(silo, "shared", [Event(id, otherContent: false)])));
                if (random.Next(20) == 0) await Task.WhenAll(mine.Select(one => one.Result));
                if (random.Next(100) == 0) await Deactivate(silo.Grain("shared"));
                if (random.Next(10) == 0)
                    Assert.InRange((await Delivered(() => silo.ViewNearest("shared"))).View?.Total ?? 0, 0, Ids);
            }
            var results = await Task.WhenAll(mine.Select(one => one.Result));
            return mine.Zip(results, (one, result) => (one.Id, Result: Assert.Single(result)));
        })));

        Assert.All(answers.SelectMany(some => some).GroupBy(answer => answer.Id), one =>
        {
            Assert.Single(one.Select(answer => answer.Result.Sequence).Distinct());
            Assert.Equal(1, one.Count(answer => answer.Result.Outcome == RecordOutcome.Recorded));
            Assert.Equal(7, one.Count(answer => answer.Result.Outcome == RecordOutcome.Duplicate));
        });
        Assert.Equal(Enumerable.Range(1, Ids).Select(n => (long)n),
            (await silo.Database.Storage.ReadAfter("shared", 0, Ids + 1)).Select(r => r.Sequence));
        Assert.Equal(Ids, (await silo.Grain("shared").View()).View!.Total);
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task Each_of_many_in_one_call_is_answered_also_those_that_are_refused_at_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new Limits { CountersMax = 1 });
        var results =
            await silo.Grain("many")
                .RecordAll([.. Enumerable.Range(0, 100)
                    .Select(i => EventSamples.View($"id-{i}", action: $"action-{i}"))]);
        Assert.Equal(RecordOutcome.Recorded, results[0].Outcome);
        Assert.All(results[1..], result => Assert.Equal(RecordOutcome.TooManyCounters, result.Outcome));
    }

    // The front end does this too: a grain that steps down sends its callers to the next, perhaps after recording some
    // of their events.
    private static async Task<RecordResult[]> Send(RunningSilo silo, string fingerprint, Event[] events)
    {
        var results = await Delivered(() => silo.RecordNearest(fingerprint, events));
        while (true)
        {
            int[] open =
                [.. Enumerable.Range(0, events.Length).Where(i => results[i].Outcome == RecordOutcome.SteppedDown)];
            if (open.Length == 0) return results;
            var again = await Delivered(() => Send(silo.Grain(fingerprint), [.. open.Select(i => events[i])]));
            for (var i = 0; i < open.Length; i++) results[open[i]] = again[i];
        }
    }

    private static async Task<RecordResult[]> Send(IFingerprintGrain grain, Event[] events) =>
        events.Length == 1 ? [await grain.Record(events[0])] : await grain.RecordAll(events);

    // The front end does this too: Orleans gives up a call that was forwarded too often, so it is sent again.
    private static async Task<T> Delivered<T>(Func<Task<T>> call)
    {
        while (true)
        {
            try
            {
                return await call();
            }
            catch (OrleansMessageRejectionException)
            {
            }
        }
    }

    private static Event Event(int id, bool otherContent) =>
        EventSamples.View($"id-{id}", action: otherContent ? "other" : "view",
            occurred: EventSamples.Noon.AddHours(id * 7));

    private static async Task Check(RunningSilo silo, string fingerprint,
        (int Id, bool OtherContent, Then Then)[] posts, RecordResult[] answers)
    {
        var log = await silo.Database.Storage.ReadAfter(fingerprint, 0, 100);
        Assert.Equal(posts.Select(post => EventIds.FromClient($"id-{post.Id}")).ToHashSet().Count, log.Count);
        Assert.Equal(Enumerable.Range(1, log.Count).Select(n => (long)n), log.Select(r => r.Sequence));
        var byId = log.ToDictionary(r => r.Event.Id);
        foreach (var (post, answer) in posts.Zip(answers))
        {
            var recorded = byId[EventIds.FromClient($"id-{post.Id}")];
            // every repeat gets the first receipt
            Assert.True(recorded.Sequence == answer.Sequence, $"{post}: {answer}, but {recorded}");
            var same = Event(post.Id, post.OtherContent).HasContentOf(recorded.Event);
            Assert.True(same ? answer.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate
                : answer.Outcome is RecordOutcome.IdConflict);
        }
        // each id was recorded once
        Assert.Equal(log.Count, answers.Count(answer => answer.Outcome == RecordOutcome.Recorded));

        var state = new FingerprintState();
        foreach (var recorded in log) state.Apply(recorded, Calendar.Utc);
        Assert.Equivalent(state.ToView(fingerprint),
            (await Delivered(() => silo.Grain(fingerprint).View().AsTask())).View, strict: true);
    }

    private static Task<bool> Deactivate(IFingerprintGrain grain) => Delivered(async () =>
    {
        await grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        return true;
    });
}
