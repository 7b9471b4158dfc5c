using Tally.Contracts;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// A new fingerprint's first event activates no grain. Nobody can tell the difference: whatever comes next, and at
/// whatever moment, finds what was recorded.
/// </summary>
public sealed class NewcomersInMemory(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task The_first_event_activates_no_grain_and_the_second_does(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await Start(at);
        Assert.Equal(1, await Post(silo, "posted", "first"));
        Assert.Equal(1, await Post(silo, "asked", "first"));
        Assert.Equal(1, await Post(silo, "repeated", "first"));
        Assert.Equal((0, 3), (await silo.CountGrains(), silo.Residents.Count));

        Assert.Equal(2, await Post(silo, "posted", "second"));
        Assert.Equal(1, await Total(silo, "asked"));
        Assert.Equal(1, await Post(silo, "repeated", "first"));
        Assert.Equal((3, 3), (await silo.CountGrains(), silo.Residents.Count));
        Assert.Equal(3, await Post(silo, "posted", "third"));
        await RunningLog.AssertProven(silo.Database);
    }

    // A batch whose events make a snapshot due is for a grain, which writes it.
    [Theory, EachStorage]
    public async Task A_large_first_batch_has_its_snapshot_when_the_silo_stops(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        var limits = new Limits();
        var events = string.Join(',', Enumerable.Range(0, limits.SnapshotOnDeactivationEventsMin)
            .Select(i => $$"""{"action":"view","product":"k8s","fingerprint":"many","id":"{{i}}"}"""));
        await using (var silo = await Start(at))
        {
            Assert.Equal(200, (await silo.PostBatch($"[{events}]")).Status);
            Assert.Equal(1, await silo.CountGrains());
        }
        await using (var silo = await RunningSilo.Start(at, limits))
            Assert.Equal(limits.SnapshotOnDeactivationEventsMin,
                (await silo.Snapshots.Read(silo.GrainId("many"))).State!.Sequence);
    }

    // With room for a few, each ends while others are sent and asked for it.
    [Theory, EachStorage]
    public async Task All_is_counted_once_while_newcomers_end_and_are_joined(StorageKind storage)
    {
        const int max = 5, fingerprints = 200, ids = 4;
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await Start(at, new() { ResidentFingerprintsMax = max });
        await Parallel.ForAsync(0, fingerprints, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (i, _) =>
        {
            var name = $"f{i}";
            var posts = Enumerable.Range(0, ids).Select(id => Post(silo, name, $"{id}")).ToList();
            posts.Add(Post(silo, name, "0")); // a repeat of one that may be on its way
            Assert.InRange(await Total(silo, name), 0, ids);
            var sequences = await Task.WhenAll(posts);
            Assert.Equal(sequences[0], sequences[^1]);
            Assert.Equal(Enumerable.Range(1, ids).Select(one => (long)one), sequences[..ids].Order());
            Assert.Equal(ids, await Total(silo, name));
        });
        await Eventually.True(() => Task.FromResult(silo.Residents.Count <= max), $"More than {max} stay.");
        await RunningLog.AssertProven(silo.Database);
    }

    [Theory, EachStorage]
    public async Task One_that_is_lost_has_recorded_what_it_took(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await Start(at);
        var lost = silo.Newcomers.TryEnter("lost", 1);
        Assert.NotNull(lost);
        Assert.Null(silo.Newcomers.TryEnter("lost", 1));
        Task<RecordResult> first;
        Task<long> second;
        await using (await at.HoldWrites())
        {
            first = lost.Record(EventSamples.View("first"));
            lost.Lose(inVersion: long.MaxValue);
            second = Post(silo, "lost", "second"); // its grain waits until the first is recorded
            Assert.Equal(RecordOutcome.SteppedDown, (await lost.Record(EventSamples.View("late"))).Outcome);
        }
        Assert.Equal(new(RecordOutcome.Recorded, 1), await first);
        Assert.Equal(2, await second);
        Assert.Equal(2, await Total(silo, "lost"));
        lost.Lose(inVersion: long.MaxValue); // ended already
        Assert.Equal((1, 1), (silo.Residents.Count, await silo.CountGrains()));
        await RunningLog.AssertProven(silo.Database);
    }

    private static async Task<RunningSilo> Start(TestDatabase at, Limits? limits = null)
    {
        var silo = await RunningSilo.Start(at, limits ?? new());
        await silo.KnowNewOnes();
        return silo;
    }

    private static async Task<long> Post(RunningSilo silo, string fingerprint, string id)
    {
        var answer = await silo.PostForm($"action=view&product=k8s&fingerprint={fingerprint}&id={id}");
        Assert.Equal(200, answer.Status);
        return answer.Sequence;
    }

    private static async Task<long> Total(RunningSilo silo, string fingerprint)
    {
        var answer = await silo.Get($"/api/fingerprints/{fingerprint}");
        return answer.Status == 404 ? 0 : answer.Body.GetProperty("total").GetInt64();
    }
}
