using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

public sealed class Merging(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task Merged_rollups_equal_the_deltas_and_every_moment_is_whole(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var appending = Task.WhenAll(Enumerable.Range(0, 4).Select(i => AppendBatches(i, 30)));
        var merging = Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            var merged = 0;
            while (!appending.IsCompleted) merged += await database.Storage.MergeRollups(7);
            return merged;
        }));
        // Appends and merges commit meanwhile. Whenever a proof looks, the rollups must be the fold of the events.
        do await RunningLog.AssertProven(database); while (!appending.IsCompleted);
        await appending;
        var merged = (await merging).Sum();
        Assert.True(merged > 0, "nothing was merged beside the appends");

        for (int now; (now = await database.Storage.MergeRollups(7)) > 0; merged += now) Assert.InRange(now, 1, 7);
        Assert.Equal(480, merged); // each delta once
        Assert.Equal([0L], await at.Query("select count(*) from rollup_deltas", row => row.GetInt64(0)));
        foreach (var table in (string[])["rollups", "counters"])
            Assert.Equal([480L],
                await at.Query($"select cast(sum(events) as bigint) from {table}", row => row.GetInt64(0)));
        await RunningLog.AssertProven(database);

        async Task AppendBatches(int worker, int batches)
        {
            await using var log = RunningLog.Start(database);
            var writer = new FingerprintWriter($"f{worker}");
            for (var i = 0; i < batches; i++)
            {
                var moment = EventSamples.Noon.AddHours(i * worker); // old keys and new ones, on several days
                await writer.Record(log.Commit, EventSamples.View(occurred: moment),
                    EventSamples.View(occurred: moment, action: "buy"),
                    EventSamples.View(occurred: moment, product: "vm"),
                    EventSamples.View(occurred: moment.AddMinutes(1)));
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
        // Deleting deltas fails, after they were added to the rollups.
        await at.Execute(storage == StorageKind.Sqlite
            ? "create trigger broken before delete on rollup_deltas begin select raise(abort, 'broken'); end"
            : "create function broken() returns trigger language plpgsql as 'begin raise exception ''broken''; end'; "
                + "create trigger broken before delete on rollup_deltas for each row execute function broken()");
        await Assert.ThrowsAsync<EventLogUnavailableException>(() => database.Storage.MergeRollups(10));
        Assert.Equal([0L], await at.Query("select count(*) from rollups", row => row.GetInt64(0)));
        await RunningLog.AssertProven(database);
    }

    // For rollups and visits. The next merge finds what is left, and adds it once.
    [Theory]
    [InlineData(CutAt.Statement, true)]
    [InlineData(CutAt.CommitUnderWay, null)]
    [InlineData(CutAt.CommitReply, false)]
    public async Task A_merge_whose_commit_is_cut_is_reported_as_open(CutAt cut, bool? remains)
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var direct = await at.OpenPrepared();
        await using (var log = RunningLog.Start(direct)) await new FingerprintWriter("a").Record(log.Commit,
            EventSamples.Views(3));
        await using var proxy = PostgresProxy.Before(at);
        await using var database = Database.For(DatabaseUrl.Parse(proxy.Url), new());
        await database.Storage.ReadHeads(["a"]); // the first connection loads types, in a transaction
        foreach (var (merge, deltas) in ((Func<Task<int>>, string)[])
                 [(() => database.Storage.MergeRollups(10), "rollup_deltas"),
                     (() => database.Storage.MergeVisits(10), "visit_deltas")])
        {
            proxy.CutNext(cut, "COMMIT\0");
            await Assert.ThrowsAsync<CommitUnknownException>(merge);
            // Postgres may still be at the commit. Until it has ended, the lock of all merges is taken.
            await Eventually.True(async () => await at.Query(
                "select not exists (select from pg_locks join pg_database on pg_database.oid = database "
                    + "where locktype = 'advisory' and datname = current_database())",
                row => row.GetBoolean(0)) is [true], "Somebody keeps the merges' lock.");
            if (remains is { } there)
                Assert.Equal([there],
                    await at.Query($"select exists (select from {deltas})", row => row.GetBoolean(0)));
        }
        Assert.Equal(2, proxy.Cuts);
        await Eventually.True(async () =>
        {
            await direct.Storage.MergeRollups(10);
            await direct.Storage.MergeVisits(10);
            return await at.Query(
                "select exists (select from rollup_deltas) or exists (select from visit_deltas)",
                row => row.GetBoolean(0)) is [false];
        }, "Somebody keeps the merge's lock.");
        await RunningLog.AssertProven(direct);
    }

    [Fact]
    public async Task A_service_whose_merge_is_cut_goes_on()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var proxy = PostgresProxy.Before(at);
        await using var app = await AppProcess.Start(at.Through(proxy));
        proxy.CutNext(CutAt.CommitReply, "COMMIT\0"); // the whole word, so that it does not match READ COMMITTED
        Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
        await Eventually.True(async () =>
            proxy.Cuts == 1 && (await at.Query("select count(*) from rollup_deltas", row => row.GetInt64(0)))[0] == 0
            && (await at.Query("select count(*) from visit_deltas", row => row.GetInt64(0)))[0] == 0,
            () => $"It merges no more: {app.Output}", seconds: 60);
        Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
        Assert.Equal(0, await app.Terminate());
        await AppProcess.AssertVerifies(at);
    }
}
