using Tally.Tests.Cluster.Breaks;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>A new version is rolled out while clients post. Behind the load balancer nobody notices.</summary>
[Collection<Alone>]
public sealed class RollingRestart(PostgresServer server)
{
    private const int EventsBetween = 300;

    [Fact]
    public async Task Silos_that_do_not_listen_yet_fail_no_request()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silo = await AppProcess.Start(database);
        // the balancer has not checked any of them yet when its first requests come
        for (var round = 0; round < 5; round++)
        {
            await using var balancer = await LoadBalancer.Launch(
                ("127.0.0.1", FreePort.Next()), ("127.0.0.1", silo.Port), ("127.0.0.1", FreePort.Next()),
                ("127.0.0.1", FreePort.Next()));
            HttpWire? first = null;
            await Eventually.True(async () => (first = await HttpWire.Connect(balancer.Port)) is not null,
                "HAProxy does not listen.");
            first!.Dispose();
            var statuses = await Task.WhenAll(Enumerable.Range(0, 20).Select(async _ =>
            {
                using var wire = (await HttpWire.Connect(balancer.Port))!;
                return (await wire.Ask(HttpWire.GetOf("/health/live")))?.Status;
            }));
            Assert.All(statuses, status => Assert.True(status == 200, $"{status}: {balancer.Output}"));
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData(Break.LateNews)] // what a silo that has left does not answer is asked again
    public async Task All_silos_one_after_another_fail_no_request_behind_the_load_balancer(Break? hindrance)
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(
            database, 3, hindrance is { } way ? StartupHook.EnvironmentOf(way) : null);
        await using var balancer = await LoadBalancer.Start([.. silos.Ports.Select(port => ("127.0.0.1", port))]);
        // so that each drain meets busy and idle connections
        var load = Load.Start([balancer.Port], seed);
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
