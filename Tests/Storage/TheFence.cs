using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>A fingerprint has one writer, and each id counts once, even if others write.</summary>
public sealed class TheFence(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_competing_writers_run_is_refused_and_the_rest_of_its_batch_recorded(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var first = RunningLog.Start(database);
        await new FingerprintWriter("shared").Record(first.Commit, EventSamples.Views(2));

        var second = RunningLog.Queueing(database);
        var before = second.Append(new FingerprintWriter("before").Decide(3));
        // begins below the head, and ends above it
        var stale = second.Append(new FingerprintWriter("shared").Decide(3));
        var after = second.Append(new FingerprintWriter("zzz").Decide(3));
        second.Start();
        Assert.Equal([AppendOutcome.Recorded, AppendOutcome.Fenced, AppendOutcome.Recorded],
            (await Task.WhenAll(before, stale, after)).Select(result => result.Outcome));
        await second.Close();

        var heads = await database.Storage.ReadHeads(["before", "shared", "zzz"]);
        Assert.Equal((3, 2, 3), (heads["before"], heads["shared"], heads["zzz"]));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task Of_two_runs_of_one_fingerprint_in_a_batch_the_first_is_recorded(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database);
        var winner = new FingerprintWriter("shared").Decide(1);
        Task<AppendResult>[] appends = [log.Append(winner), log.Append(new FingerprintWriter("shared").Decide(2)),
            log.Append(new FingerprintWriter("a").Decide(1))];
        log.Start();
        Assert.Equal([AppendOutcome.Recorded, AppendOutcome.Fenced, AppendOutcome.Recorded],
            (await Task.WhenAll(appends)).Select(result => result.Outcome));
        await log.Close();
        Assert.Equal(winner[0].Event, Assert.Single(await database.Storage.ReadAfter("shared", 0, 10)).Event);
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task Of_64_concurrent_first_writers_exactly_one_wins(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared(new Limits { ConnectionsMax = 64 });
        var writers =
            Enumerable.Range(0, 64)
                .Select(_ => (Log: RunningLog.Start(database), Run: new FingerprintWriter("shared").Decide(1)))
                .ToList();
        var results =
            await Task.WhenAll(writers.Select(writer => Task.Run(() => writer.Log.Commit.Append(writer.Run))));
        foreach (var (log, _) in writers) await log.DisposeAsync();

        var won = Assert.Single(results.Index(), result => result.Item.Outcome == AppendOutcome.Recorded).Index;
        Assert.Equal(63, results.Count(result => result.Outcome == AppendOutcome.Fenced));
        Assert.Equal(writers[won].Run[0].Event, Assert.Single(await database.Storage.ReadAfter("shared", 0, 10)).Event);
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task A_run_whose_writer_does_not_know_that_its_fingerprint_was_removed_is_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var cutoff = EventSamples.Noon.AddMinutes(1);
        var (erased, pruned, kept) = (new FingerprintWriter("erased"), new FingerprintWriter("pruned"),
            new FingerprintWriter("kept"));
        long known = 0;
        foreach (var writer in (FingerprintWriter[])[erased, pruned, kept])
            await Append(writer, AppendOutcome.Recorded);
        var behind = pruned.Decide(2); // its writer sleeps while two events are recorded and removed
        await Append(pruned, AppendOutcome.Recorded);
        await Append(pruned, AppendOutcome.Recorded);
        Assert.Equal(3, (await database.Storage.Prune(["pruned"], cutoff, 10))!.Events);
        Assert.Equal(AppendOutcome.Fenced, (await log.Commit.Append(behind, known)).Outcome);
        await Append(pruned, AppendOutcome.Recorded); // follows what was pruned
        Assert.Equal(1, (await database.Storage.Erase("erased", 1, suppress: false, 10))!.Events);
        var loaded = (await database.Storage.ReadNewest(["kept"], 10)).RemovalEpoch;
        await Append(erased, AppendOutcome.Fenced);
        await Append(kept, AppendOutcome.Recorded);
        Assert.Equal(loaded, known); // a load and the next commit give the same epoch
        // its successor, which knows that nothing is left
        await Append(new FingerprintWriter("erased"), AppendOutcome.Recorded);
        await Append(kept, AppendOutcome.Recorded);
        await RunningLog.AssertProven(database);

        async Task Append(FingerprintWriter writer, AppendOutcome expected)
        {
            var run = writer.Decide(1);
            var result = await log.Commit.Append(run, known);
            Assert.Equal(expected, result.Outcome);
            if (expected != AppendOutcome.Recorded) return;
            known = result.RemovalEpoch;
            writer.Fold(run);
        }
    }

    [Theory, EachStorage]
    public async Task An_old_repeat_is_caught_and_the_rest_of_its_batch_recorded(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var first = RunningLog.Start(database);
        var (writer, other) = (new FingerprintWriter("a"), new FingerprintWriter("b"));
        var old = EventSamples.View("old");
        await writer.Record(first.Commit, [EventSamples.View(), old, EventSamples.View()]);
        await other.Record(first.Commit, old); // one id under two fingerprints is two events

        var log = RunningLog.Queueing(database);
        var fresh = EventSamples.View();
        Task<AppendResult>[] appends =
            [log.Append(other.Decide(1)), log.Append(writer.Decide(fresh, old with { Action = "buy" })),
                log.Append(new FingerprintWriter("c").Decide(old))];
        log.Start();
        var results = await Task.WhenAll(appends);
        Assert.Equal([AppendOutcome.Recorded, AppendOutcome.HasRepeats, AppendOutcome.Recorded],
            results.Select(result => result.Outcome));
        var repeat = Assert.Single(results[1].Repeats);
        // the event in the log, not its repeat
        Assert.Equal(("a", 2, old), (repeat.Fingerprint, repeat.Sequence, repeat.Event));

        // The other event of the run is decided again, and recorded.
        Assert.Equal(AppendOutcome.Recorded, (await log.Append(writer.Decide(fresh))).Outcome);
        await log.Close();
        Assert.Equal([4L], (await database.Storage.ReadAfter("a", 3, 10)).Select(r => r.Sequence));
        await RunningLog.AssertProven(database);
    }
}
