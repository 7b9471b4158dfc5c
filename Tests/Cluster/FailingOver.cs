using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The primary's machine is lost, and its synchronous standby becomes the primary.</summary>
public sealed class FailingOver
{
    private const int EventsBetween = 200;

    [Fact]
    public async Task Nothing_that_was_acknowledged_is_lost_and_the_app_goes_on_by_itself()
    {
        await using var primary = await PostgresServer.StartOwn();
        await using var standby = await primary.StartStandby();
        await MakeSynchronous(primary);
        await using var database = TestDatabase.Of(Url(primary, standby), asked: standby);
        await using var app = await AppProcess.Start(database);
        var load = Load.Start([app.Port], Seed.Next());
        await load.Acknowledges(EventsBetween);

        await primary.Kill();
        await standby.Promote();

        await load.Acknowledges(EventsBetween);
        await load.Finish();
        await HistoryCheck.Holds(load.History, database, app);
        AppLog.AssertCalmAndDiscreet(app);
    }

    // The driver gives up waiting for an answer, and Postgres then keeps the commit without its standby.
    [Fact]
    public async Task While_the_standby_is_away_nothing_is_acknowledged()
    {
        await using var primary = await PostgresServer.StartOwn();
        await using var standby = await primary.StartStandby();
        await MakeSynchronous(primary);
        await using var database = TestDatabase.Of(Url(primary, standby) + "&Command%20Timeout=3", asked: primary);
        await using var app = await AppProcess.Start(database);
        const string post = "action=a&product=p&fingerprint=f&id=once";
        await standby.Stop("fast");

        var first = app.PostForm(post);
        await Eventually.True(async () => (await database.Query(
            "select count(*) from events", row => row.GetInt64(0)))[0] == 1, "Nothing is kept without the standby.");
        Assert.Equal(503, (await first).Status);
        Assert.Equal(503, (await app.PostForm(post)).Status);

        await standby.Start();
        await Eventually.True(async () => (await app.PostForm(post)).Status == 200,
            () => $"The standby is back, but nothing is recorded: {app.Output}");
        Assert.Equal(1, (await app.View("f")).Body.GetProperty("total").GetInt64());
        await AppProcess.AssertVerifies(database);
    }

    /// <summary>Sends the primary's commits to a standby before they are answered.</summary>
    private static async Task MakeSynchronous(LocalPostgres primary)
    {
        await primary.Execute("alter system set synchronous_standby_names = '*'");
        await primary.Execute("select pg_reload_conf()");
        await using var database = TestDatabase.On(primary);
        await Eventually.True(async () => (await database.Query(
            "select count(*) from pg_stat_replication where sync_state = 'sync'", row => row.GetInt64(0)))[0] == 1,
            "No standby is synchronous.");
    }

    private static string Url(LocalPostgres primary, LocalPostgres standby) =>
        $"postgres://tally:{LocalPostgres.Password}@127.0.0.1:{primary.Settings.Port},127.0.0.1:{standby.Settings.Port}"
        + "/postgres?target_session_attrs=read-write";
}
