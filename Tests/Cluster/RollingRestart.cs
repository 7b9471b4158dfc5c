using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>A new version goes out while clients post: behind the load balancer, nobody notices.</summary>
public sealed class RollingRestart(PostgresServer server)
{
    private const int EventsBetween = 300;

    [Fact]
    public async Task All_silos_one_after_another_fail_no_request_behind_the_load_balancer()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        await using var balancer = await LoadBalancer.Start([.. silos.Ports.Select(port => ("127.0.0.1", port))]);
        var load = Load.Start([balancer.Port], seed, new() { IdleMillisecondsMax = 40 }); // busy and idle connections meet each drain
        await load.Acknowledges(EventsBetween);
        for (var place = 0; place < silos.Count; place++)
        {
            Assert.Equal(0, await silos[place].Terminate());
            Assert.False(silos[place].Output.Contains("fail: ", StringComparison.Ordinal), silos[place].Output);
            await silos.StartAgain();
            await load.Acknowledges(EventsBetween);
        }
        await load.Finish();

        TestContext.Current.TestOutputHelper?.WriteLine(balancer.Output);
        load.History.AssertAllAcknowledged();
        await HistoryCheck.Holds(load.History, database, silos[0]);
    }
}
