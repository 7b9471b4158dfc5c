using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

public sealed class MergingVisits(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task Merged_visits_equal_the_log_and_every_moment_is_whole(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var appending = Task.WhenAll(Enumerable.Range(0, 4).Select(i => AppendBatches(i, 30)));
        var merging = Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            var merged = 0;
            while (!appending.IsCompleted) merged += await database.Storage.MergeVisits(3);
            return merged;
        }));
        do await RunningLog.AssertProven(database); while (!appending.IsCompleted);
        await appending;
        var merged = (await merging).Sum();
        Assert.True(merged > 0, "nothing was merged beside the appends");

        for (int now; (now = await database.Storage.MergeVisits(3)) > 0; merged += now) Assert.InRange(now, 1, 3);
        Assert.Equal(120, merged); // one delta a batch, each once
        Assert.Null(await database.Storage.ReadVisitDeltas());
        Assert.Equal([480L], await at.Query("select cast(sum(events) as bigint) from visits", row => row.GetInt64(0)));
        await RunningLog.AssertProven(database);

        async Task AppendBatches(int worker, int batches)
        {
            await using var log = RunningLog.Start(database);
            var writer = new FingerprintWriter($"f{worker}");
            for (var i = 0; i < batches; i++)
            {
                var moment = EventSamples.Noon.AddHours(i * worker); // old days and new ones
                await writer.Record(log.Commit, EventSamples.View(occurred: moment),
                    EventSamples.View(occurred: moment.AddTicks(-10)),
                    EventSamples.View(occurred: moment, product: "vm"),
                    EventSamples.View(occurred: moment.Date.AddTicks(-10)));
            }
        }
    }

    [Theory, EachStorage]
    public async Task A_merge_that_fails_changes_nothing(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database)) await new FingerprintWriter("a").Record(log.Commit,
            EventSamples.Views(3));
        await at.Execute(storage == StorageKind.Sqlite
            ? "create trigger broken before delete on visit_deltas begin select raise(abort, 'broken'); end"
            : "create function broken() returns trigger language plpgsql as 'begin raise exception ''broken''; end'; "
                + "create trigger broken before delete on visit_deltas for each row execute function broken()");
        await Assert.ThrowsAsync<EventLogUnavailableException>(() => database.Storage.MergeVisits(10));
        Assert.Equal([0L], await at.Query("select count(*) from visits", row => row.GetInt64(0)));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task A_batch_is_one_row_whoever_is_in_it(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database);
        var appends =
            Enumerable.Range(0, 5_000).Select(i => log.Append(new FingerprintWriter($"é'\"\\😀 {i}").Decide(1)))
                .ToList();
        log.Start();
        await Task.WhenAll(appends);
        await log.Close();
        Assert.Equal([1L], await at.Query("select count(*) from visit_deltas", row => row.GetInt64(0)));
        Assert.Equal(1, await database.Storage.MergeVisits(1));
        Assert.Equal((5_000, 5_000),
            await database.Storage.CountUniques(new(2026, 3, 1), new(2026, 3, 2), null, CancellationToken.None));
        await RunningLog.AssertProven(database);
    }
}
