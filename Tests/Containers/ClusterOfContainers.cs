using System.Diagnostics;
using Tally.Tests.Harness;

namespace Tally.Tests.Containers;

/// <summary>
/// docker-compose.yml as users run it. The tests share one cluster, and each begins with all of it up.
/// </summary>
[Collection<Alone>]
public sealed class ClusterOfContainers(ComposeCluster cluster) : IClassFixture<ComposeCluster>
{
    private const int EventsBetween = 300;

    [Fact]
    public async Task Three_silos_are_one_service_through_the_load_balancer()
    {
        await cluster.Up();
        var silos = await cluster.Containers("silo");
        Assert.Equal(ComposeCluster.Silos, silos.Length);
        for (var sequence = 1; sequence <= 9; sequence++)
        {
            var posted = await cluster.PostForm("action=view&product=k8s&fingerprint=one-service");
            Assert.Equal((200, sequence), (posted.Status, posted.Sequence));
            foreach (var silo in silos)
                Assert.Equal(sequence, (await (await ComposeCluster.Directly(silo)).View("one-service")).Sequence);
        }
        await using var database = await cluster.Database();
        Assert.Equal([3L],
            await database.Query("select count(*) from memberships where status = 3", row => row.GetInt64(0)));
        await cluster.AssertVerifies();
    }

    [Fact]
    public async Task A_silo_killed_under_load_loses_nothing_and_doubles_nothing()
    {
        await cluster.Up();
        var load = StartLoad("killed-");
        await load.Acknowledges(EventsBetween);
        await Engine.Docker("kill", (await cluster.Containers("silo"))[0]);
        await load.Acknowledges(EventsBetween);
        await cluster.Up();
        await load.Acknowledges(EventsBetween);
        await load.Finish();
        await AssertHolds(load, "killed-");
    }

    [Fact]
    public async Task Scaled_to_five_and_back_it_fails_no_request()
    {
        await cluster.Up();
        var load = StartLoad("scaled-");
        await load.Acknowledges(EventsBetween);
        await cluster.Start("--scale", "silo=5");
        Assert.Equal(5, (await cluster.Containers("silo")).Length);
        await load.Acknowledges(EventsBetween);
        await cluster.Up();
        Assert.Equal(ComposeCluster.Silos, (await cluster.Containers("silo")).Length);
        await load.Acknowledges(EventsBetween);
        await load.Finish();
        load.History.AssertAllAcknowledged();
        await AssertHolds(load, "scaled-");
    }

    [Fact]
    public async Task Rolled_to_the_next_version_under_load_it_fails_no_request()
    {
        await cluster.Up();
        var old = await cluster.Containers("silo");
        var load = StartLoad("rolled-");
        await load.Acknowledges(EventsBetween);
        await cluster.OfferNextVersion();
        await cluster.Start("--no-recreate", "--scale", "silo=6");
        Assert.Empty(old.Except(await cluster.Containers("silo")));
        await load.Acknowledges(EventsBetween);
        await Engine.Docker(["stop", .. old]);
        await Engine.Docker(["rm", .. old]);
        var now = await cluster.Containers("silo");
        Assert.Equal(ComposeCluster.Silos, now.Length);
        Assert.Empty(old.Intersect(now));
        await load.Acknowledges(EventsBetween);
        await load.Finish();
        if (load.History.Count(AttemptOutcome.Refused) > 0)
            TestContext.Current.TestOutputHelper?.WriteLine(
                await cluster.Compose("logs", "--no-color", "--timestamps", "lb", "silo"));
        load.History.AssertAllAcknowledged();
        await AssertHolds(load, "rolled-");
    }

    [Fact]
    public async Task Its_data_outlives_its_containers()
    {
        await cluster.Up();
        await cluster.PostForm("action=view&product=k8s&fingerprint=kept");
        await cluster.Compose("down");
        await cluster.Up();
        Assert.Equal(1, (await cluster.View("kept")).Sequence);
    }

    [Fact]
    public async Task Killed_whole_it_serves_again_when_started_again()
    {
        await cluster.Up();
        var posted = (await cluster.PostForm("action=view&product=k8s&fingerprint=whole")).Sequence;
        await cluster.Compose("kill");
        var clock = Stopwatch.StartNew();
        await cluster.Up();
        Assert.Equal(posted + 1, (await cluster.PostForm("action=view&product=k8s&fingerprint=whole")).Sequence);
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"Killed whole, it served {clock.Elapsed.TotalSeconds:F1} s after its start began.");
        await cluster.AssertVerifies();
    }

    [Fact]
    public async Task Silos_are_unhealthy_while_Postgres_is_gone_and_healthy_when_it_is_back()
    {
        await cluster.Up();
        var silos = await cluster.Containers("silo");
        await cluster.Compose("stop", "postgres");
        await AllAre("unhealthy", silos);
        await cluster.Compose("start", "postgres");
        await AllAre("healthy", silos);
        Assert.Equal(200, (await cluster.PostForm("action=view&product=k8s&fingerprint=back")).Status);
    }

    // A light load, because six silos start meanwhile.
    private Load StartLoad(string prefix) =>
        Load.Start([cluster.Port], Seed.Next(), new() { Prefix = prefix, IdleMillisecondsMax = 100 });

    private async Task AssertHolds(Load load, string prefix)
    {
        await using var database = await cluster.Database();
        await HistoryCheck.LogHolds(load.History, database, prefix);
        await HistoryCheck.CountersHold(database, cluster, prefix: prefix);
        await cluster.AssertVerifies();
    }

    private static async Task AllAre(string health, string[] containers)
    {
        foreach (var container in containers)
            await Eventually.True(async () => await Engine.Health(container) == health,
                $"{container} does not become {health}.", seconds: 120);
    }
}
