using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>A database URL with several servers. The one that takes writes is used, also by Orleans.</summary>
public sealed class SeveralServers
{
    [Fact]
    public async Task Two_silos_find_the_primary_among_several_and_go_on_with_the_standby_that_becomes_it()
    {
        await using var primary = await PostgresServer.StartOwn();
        await using var standby = await primary.StartStandby();
        var url = $"postgres://tally:{LocalPostgres.Password}@127.0.0.1:{FreePort.Next()},127.0.0.1:{standby.Settings.Port},"
            + $"127.0.0.1:{primary.Settings.Port}/postgres?target_session_attrs=read-write";
        await using var database = TestDatabase.Of(url, primary);
        await using var silos = await Silos.Start(database, 2);
        for (var i = 0; i < 10; i++)
        {
            Assert.Equal(200, (await silos[i % 2].PostForm($"action=a&product=p&fingerprint=f{i}")).Status);
            Assert.Equal(1, (await silos[(i + 1) % 2].View($"f{i}")).Body.GetProperty("total").GetInt64());
        }

        await primary.Stop("fast"); // sends everything to the standby first
        await standby.Promote();
        for (var i = 0; i < 10; i++)
        {
            await Eventually.True(async () =>
                (await silos[i % 2].PostForm($"action=a&product=p&fingerprint=f{i}&id=after-{i}")).Status == 200,
                () => $"f{i} is not recorded: {silos[i % 2].Output}", seconds: 120);
            await Eventually.True(async () =>
                await silos[(i + 1) % 2].View($"f{i}") is { Status: 200 } view
                    && view.Body.GetProperty("total").GetInt64() == 2,
                () => $"f{i} is not counted: {silos[(i + 1) % 2].Output}", seconds: 120);
        }
        silos.AssertAllRun();
        await AppProcess.AssertVerifies(database);
        Assert.DoesNotContain(LocalPostgres.Password, silos[0].Output + silos[1].Output);
    }
}
