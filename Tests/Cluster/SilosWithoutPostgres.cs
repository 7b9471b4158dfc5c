using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>Three silos lose their database: none exits, none declares another dead, and nothing is lost.</summary>
[Collection<Clusters>]
public sealed class SilosWithoutPostgres
{
    private const int EventsBefore = 300;
    private const int Terminations = 10;

    private static readonly TimeSpan Away = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Twenty_seconds_of_refused_connections_cost_503s_and_no_silo()
    {
        var seed = Seed.Next();
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await using var silos = await Silos.Start(database, 3);
        var load = Load.Start(silos.Ports, seed);
        await load.Acknowledges(EventsBefore);

        await postgres.Stop("immediate");
        await Task.Delay(Away); // the fault's length
        silos.AssertAllRun();
        foreach (var port in silos.Ports)
            using (var wire = (await HttpWire.Connect(port))!)
                Assert.Equal(503, (await wire.Ask(HttpWire.GetOf("/health/ready")))!.Status);
        await postgres.Start();

        await load.Acknowledges(EventsBefore);
        await load.Finish();
        await silos.WaitReady();
        Refusals.AssertUnavailableAndQuick(load.History);
        await AllStand(silos);
        await HistoryCheck.Holds(load.History, database, silos[0]);
    }

    [Fact]
    public async Task Losing_every_connection_again_and_again_costs_no_silo_and_no_event()
    {
        var seed = Seed.Next();
        var random = new Random(seed);
        await using var postgres = await PostgresServer.StartOwn();
        await using var database = TestDatabase.On(postgres);
        await using var silos = await Silos.Start(database, 3);
        var load = Load.Start(silos.Ports, seed);
        for (var round = 0; round < Terminations; round++)
        {
            await load.Acknowledges(EventsBefore / 3);
            await Task.Delay(random.Next(100)); // a random moment for the loss
            // Each silo has at least one for its log. Membership and snapshots use the same pools.
            Assert.InRange(
                (await database.Query(
                    "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name = 'tally'",
                row => row.GetInt64(0))).Single(), 1, long.MaxValue);
        }
        await load.Acknowledges(EventsBefore);
        await load.Finish();
        await AllStand(silos);
        await HistoryCheck.Holds(load.History, database, silos[1]);
    }

    private static async Task AllStand(Silos silos)
    {
        silos.AssertAllRun();
        Assert.Empty(await silos.DeclaredDead());
    }
}
