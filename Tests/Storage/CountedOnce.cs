using CsCheck;
using Orleans.Core.Internal;
using Tally.Contracts;
using Tally.Grains;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The grain itself, over a real log: whatever comes when, and however often, counts once.</summary>
public sealed class CountedOnce(PostgresServer server)
{
    // An id of few, its content of two, and what happens before the next is sent.
    private static readonly Gen<(int Id, bool OtherContent, Then Then)[]> Posts = Gen.Select(Gen.Int[0, 11],
        Gen.Frequency((9, Gen.Const(false)), (1, Gen.Const(true))),
        Gen.Frequency((6, Gen.Const(Then.Nothing)), (6, Gen.Const(Then.ItsAnswer)), (2, Gen.Const(Then.Deactivation)), (6, Gen.Const(Then.OneMore)))).Array[1, 40];

    // OneMore: they go in one call.
    private enum Then { Nothing, ItsAnswer, Deactivation, OneMore }

    [Theory, EachStorage]
    public async Task Any_interleaving_with_repeats_counts_each_id_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        // Little memory and short runs: old repeats, snapshots and loads without them all happen.
        await using var silo = await RunningSilo.Start(at, new Limits { RememberedEventsMax = 3, RunEventsMax = 3, SnapshotEventsMax = 2, PageEventsMax = 2 });
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
                answers.Add(Send(silo.Grain(fingerprint), [.. together]));
                together.Clear();
                if (post.Then == Then.ItsAnswer) await answers[^1];
                if (post.Then == Then.Deactivation) await Deactivate(silo.Grain(fingerprint));
            }
            await Check(silo, fingerprint, posts, [.. (await Task.WhenAll(answers)).SelectMany(some => some)]);
        }, iter: 60, threads: 4);
        await AppProcess.AssertVerifies(at);
    }

    private static Task<RecordResult[]> Send(IFingerprintGrain grain, Event[] events) =>
        Delivered(async () => events.Length == 1 ? [await grain.Record(events[0])] : await grain.RecordAll(events));

    // A call that was forwarded from one deactivated grain to the next too often is not delivered: it is sent again, as the front end does.
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
        EventSamples.View($"id-{id}", action: otherContent ? "other" : "view", occurred: EventSamples.Noon.AddHours(id * 7));

    private static async Task Check(RunningSilo silo, string fingerprint,
        (int Id, bool OtherContent, Then Then)[] posts, RecordResult[] answers)
    {
        var log = await silo.Database.EventLog.ReadAfter(fingerprint, 0, 100);
        Assert.Equal(posts.Select(post => EventIds.FromClient($"id-{post.Id}")).ToHashSet().Count, log.Count);
        Assert.Equal(Enumerable.Range(1, log.Count).Select(n => (long)n), log.Select(r => r.Sequence));
        var byId = log.ToDictionary(r => r.Event.Id);
        foreach (var (post, answer) in posts.Zip(answers))
        {
            var recorded = byId[EventIds.FromClient($"id-{post.Id}")];
            Assert.True(recorded.Sequence == answer.Sequence, $"{post}: {answer}, but {recorded}"); // every repeat gets the first receipt
            var same = Event(post.Id, post.OtherContent).HasContentOf(recorded.Event);
            Assert.True(same ? answer.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate : answer.Outcome is RecordOutcome.IdConflict);
        }
        Assert.Equal(log.Count, answers.Count(answer => answer.Outcome == RecordOutcome.Recorded)); // one of each id is the first

        var state = new FingerprintState();
        foreach (var recorded in log) state.Apply(recorded);
        Assert.Equivalent(state.ToView(fingerprint), (await Delivered(() => silo.Grain(fingerprint).View().AsTask())).View, strict: true);
    }

    private static Task<bool> Deactivate(IFingerprintGrain grain) => Delivered(async () =>
    {
        await grain.AsReference<IGrainManagementExtension>().DeactivateOnIdle();
        return true;
    });
}
