using System.Diagnostics;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// The backups of operations.md, made while events come, then restored: what was acknowledged before is there, all
/// counts are right, and the copy goes on.
/// </summary>
public sealed class BackingUp(PostgresServer server)
{
    private const int EventsBetween = 100;

    [Theory, EachStorage]
    public async Task A_copy_has_what_was_acknowledged_before_and_goes_on(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var copy = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        var load = Load.Start([app.Port], Seed.Next());
        await load.Acknowledges(EventsBetween);

        var begun = Stopwatch.GetTimestamp();
        await database.BackUpInto(copy);

        await load.Acknowledges(EventsBetween);
        await load.Finish();
        load.History.AssertAllAcknowledged(); // the backup disturbed nobody
        await IsWholeAndGoesOn(copy, load.History, begun);
        await HistoryCheck.Holds(load.History, database, app); // and the original knows nothing of the copy
    }

    [Fact]
    public async Task A_base_backup_and_the_archived_log_lead_back_to_before_a_mistake()
    {
        await using var primary = await PostgresServer.StartOwn();
        await primary.Archive();
        await using var database = TestDatabase.On(primary);
        await using var app = await AppProcess.Start(database);
        var load = Load.Start([app.Port], Seed.Next());
        await load.Acknowledges(EventsBetween);

        await using var restored = await primary.BackUp();
        await load.Acknowledges(EventsBetween);
        var moment = Stopwatch.GetTimestamp();
        var time = (await database.Query("select clock_timestamp()::text", row => row.GetString(0)))[0];
        await load.Acknowledges(EventsBetween);
        await load.Finish();
        await app.Terminate();
        await database.Execute("delete from events");
        await primary.Stop("fast"); // archives the rest of its log

        await restored.StartAsOf(time, primary);
        await using var copy = TestDatabase.On(restored);
        await Eventually.True(async () =>
            !(await copy.Query("select pg_is_in_recovery()", row => row.GetBoolean(0)))[0],
            "It is still recovering.");
        await IsWholeAndGoesOn(copy, load.History, moment);
    }

    // In a cluster of its own: the copy lists the original's silos, which may be there.
    private static async Task IsWholeAndGoesOn(TestDatabase copy, LoadHistory history, long moment)
    {
        await AppProcess.AssertVerifies(copy);
        var known = history.AsOf(moment);
        await HistoryCheck.LogHolds(known, copy);
        Assert.Contains(await HistoryCheck.Findings(history, copy), found => found.Kind == FindingKind.Lost);

        await using var app = await AppProcess.Start(copy, AppProcess.ClusterOfItsOwn());
        var load = Load.Start([app.Port], Seed.Next(), new() { WithIdShare = 0 }); // to the fingerprints of before
        await load.Acknowledges(EventsBetween);
        await load.Finish();
        load.History.AssertAllAcknowledged();
        foreach (var attempt in load.History.All) known.Add(attempt);
        await HistoryCheck.Holds(known, copy, app);
    }
}
