using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>From the version before to this one, and back, while clients post.</summary>
[Collection<Alone>]
public sealed class Upgrading(PostgresServer server)
{
    private const int EventsBetween = 300;

    [Fact]
    public async Task A_cluster_is_upgraded_silo_by_silo_and_goes_back()
    {
        var before = AppProcess.BinaryBefore();
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3, program: before);
        await using var balancer = await LoadBalancer.Start([.. silos.Ports.Select(port => ("127.0.0.1", port))]);
        var load = Load.Start([balancer.Port], seed);
        await load.Acknowledges(EventsBetween);
        await ReplaceAll(AppProcess.Binary);
        await database.Execute(LaterVersion.OnlyAdds);
        await ReplaceAll(before);
        await load.Finish();

        load.History.AssertAllAcknowledged();
        await HistoryCheck.Holds(load.History, database, silos[0]);

        async Task ReplaceAll(string program)
        {
            for (var place = 0; place < silos.Count; place++)
            {
                Assert.Equal(0, await silos[place].Terminate());
                await silos.StartAgain(program);
                await load.Acknowledges(EventsBetween);
            }
        }
    }

    [Fact]
    public async Task A_lone_silo_is_upgraded_and_goes_back()
    {
        string[] programs = [AppProcess.BinaryBefore(), AppProcess.Binary, AppProcess.BinaryBefore()];
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        for (var i = 0; i < programs.Length; i++)
        {
            await using var app = await AppProcess.Start(database, program: programs[i]);
            for (var number = 0; number <= i; number++) // what another version has recorded is a repeat
                Assert.Equal(200,
                    (await app.PostForm("action=view&product=k8s&fingerprint=a", $"event-{number}")).Status);
            Assert.Equal(i + 1, (await app.View("a")).Body.GetProperty("total").GetInt32());
            Assert.Equal(0, await app.Terminate());
            if (i == 1) await database.Execute(LaterVersion.OnlyAdds);
        }
        await AppProcess.AssertVerifies(database);
    }
}
