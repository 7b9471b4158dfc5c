using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>Every queue and batch has a maximum, and what exceeds it is refused at once.</summary>
public sealed class Queues(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_full_queue_refuses_and_what_it_took_is_recorded(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database, new Limits { QueueEventsMax = 10 });
        Task<AppendResult>[] taken = [log.Append(new FingerprintWriter("a").Decide(6)),
            log.Append(new FingerprintWriter("b").Decide(3))];
        Assert.True(log.IsFullFor(new FingerprintWriter("c").Decide(2))); // 11 events
        var last = log.Append(new FingerprintWriter("d").Decide(1)); // 10
        Assert.True(log.IsFullFor(new FingerprintWriter("e").Decide(1)));
        Assert.All([.. taken, last], append => Assert.False(append.IsCompleted));

        log.Start();
        Assert.All(await Task.WhenAll([.. taken, last]),
            result => Assert.Equal(AppendOutcome.Recorded, result.Outcome));
        // there is room again
        Assert.Equal(AppendOutcome.Recorded, (await log.Append(new FingerprintWriter("c").Decide(10))).Outcome);
        await log.Close();
        Assert.Equal(["a", "b", "c", "d"], (await database.Storage.ReadHeads(["a", "b", "c", "d", "e"])).Keys.Order());
        Assert.True(log.IsFullFor(new FingerprintWriter("e").Decide(1))); // closed
    }

    [Theory, EachStorage]
    public async Task Batches_are_full_but_never_over_their_limit_and_keep_the_order_of_arrival(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database, new Limits { BatchEventsMax = 7 });
        int[] runs = [3, 3, 2, 5, 9, 1, 1]; // 9 exceeds a batch: a run is never split
        var appends = runs.Select((size, i) => log.Append(new FingerprintWriter($"f{i}").Decide(size))).ToList();
        log.Start();
        Assert.All(await Task.WhenAll(appends), result => Assert.Equal(AppendOutcome.Recorded, result.Outcome));
        await log.Close();
        Assert.Equal([6, 7, 9, 2], await AppendingToTheLog.BatchSizes(at));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task Closing_records_what_was_taken(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database, new Limits { BatchEventsMax = 10 });
        var appends =
            Enumerable.Range(0, 20).Select(i => log.Append(new FingerprintWriter($"f{i}").Decide(10))).ToList();
        log.Start();
        await log.Close();
        Assert.All(appends, append => Assert.True(append.IsCompleted));
        Assert.Equal([200L], await at.Query("select count(*) from events", row => row.GetInt64(0)));
    }

    [Theory, EachStorage]
    public async Task Loads_share_queries_and_a_full_queue_refuses(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
        {
            await new FingerprintWriter("a").Record(log.Commit, EventSamples.Views(20));
            await new FingerprintWriter("b").Record(log.Commit, EventSamples.Views(2));
        }
        var loader =
            new HistoryLoader(database.Storage,
                new Limits { LoadQueueMax = 4, LoadFingerprintsMax = 3, RememberedEventsMax = 8 });
        // The same fingerprint twice: two activations compete on this silo.
        List<string> asked = ["a", "b", "a", "unknown"];
        var loads = asked.ConvertAll(loader.ReadNewest);
        await Assert.ThrowsAsync<EventLogUnavailableException>(() => loader.ReadNewest("a"));
        loader.Start();
        var loaded = await Task.WhenAll(loads);
        Assert.Equal([13, 14, 15, 16, 17, 18, 19, 20], loaded[0].Events.Select(r => r.Sequence)); // oldest first
        Assert.Equal([1, 2], loaded[1].Events.Select(r => r.Sequence));
        Assert.Equal(loaded[0].Events, loaded[2].Events);
        Assert.Empty(loaded[3].Events);
        Assert.Equal(2, (await loader.ReadNewest("b")).Events.Count); // there is room again
        await loader.Close();
    }
}
