using System.Net.Sockets;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The names, ports and addresses that silos are given are used, and stand in the membership table.</summary>
public sealed class ClusterSettings(PostgresServer server)
{
    private const int EventsBefore = 500;

    private sealed record Member(string Cluster, string Silo, string Address, int SiloPort, int GatewayPort,
        int Status);

    [Theory]
    [InlineData("flags")]
    [InlineData("variables")]
    public async Task What_is_given_is_used(string by)
    {
        var (siloPort, gatewayPort) = (FreePort.Next(), FreePort.Next());
        (string Flag, string Variable, string Value)[] given =
        [
            ("clusterId", "APP_CLUSTER_ID", "blue"), ("serviceId", "APP_SERVICE_ID", "events"),
            ("siloName", "APP_SILO_NAME", "silo-7"),
            ("siloPort", "APP_SILO_PORT", $"{siloPort}"), ("gatewayPort", "APP_GATEWAY_PORT", $"{gatewayPort}"),
            ("advertise", "APP_ADVERTISE", "127.0.0.2"),
        ];
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var app = by == "flags"
            ? await AppProcess.Start(database, flags: [.. given.Select(one => $"-{one.Flag}={one.Value}")])
            : await AppProcess.Start(database, given.ToDictionary(one => one.Variable, one => one.Value));

        Assert.Equal([new("blue", "silo-7", "127.0.0.2", siloPort, gatewayPort, (int)SiloStatus.Active)],
            await Members(database));
        foreach (var port in (int[])[siloPort, gatewayPort])
        {
            using var connection = new TcpClient();
            await connection.ConnectAsync("127.0.0.2", port);
        }
        for (var i = 0; i < 5; i++) Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
        Assert.Equal(0, await app.Terminate());
        Assert.Equal(["events"], await database.Query("select service_id from snapshots", row => row.GetString(0)));
    }

    [Fact]
    public async Task Without_any_the_address_is_the_one_towards_the_database_the_port_a_free_one_and_the_gateway_off()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        var members = await Members(database);
        Assert.All(members,
            member => Assert.Equal(("tally", Environment.MachineName, "127.0.0.1"),
                (member.Cluster, member.Silo, member.Address)));
        Assert.Equal(2, members.Select(member => member.SiloPort).Distinct().Count(port => port > 0));
        Assert.All(members, member => Assert.Equal(0, member.GatewayPort));
    }

    // This is a mistake, because neither cluster knows the other's grains. The log's key keeps the counts right.
    [Fact]
    public async Task Two_clusters_on_one_database_still_count_each_event_once()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var blue = await AppProcess.Start(database, new() { ["APP_CLUSTER_ID"] = "blue" });
        await using var green = await AppProcess.Start(database, new() { ["APP_CLUSTER_ID"] = "green" });
        Assert.Equal(["blue", "green"], (await Members(database)).Select(member => member.Cluster).Order());

        var load = Load.Start([blue.Port, green.Port], seed, new() { HotFingerprints = 4 });
        await load.Acknowledges(EventsBefore);
        await load.Finish();
        await HistoryCheck.LogHolds(load.History, database);
        Assert.Contains("Somebody else wrote after", blue.Output + green.Output);

        // When they take turns, each finds what the other wrote.
        for (var i = 1; i <= 20; i++)
        {
            var (one, other) = i % 2 == 0 ? (blue, green) : (green, blue);
            var answer = await one.PostForm($"action=a&product=p&fingerprint=both&id={i}");
            Assert.Equal((200, i, false), (answer.Status, answer.Sequence, answer.Duplicate));
            answer = await other.PostForm($"action=a&product=p&fingerprint=both&id={i}");
            Assert.Equal((200, i, true), (answer.Status, answer.Sequence, answer.Duplicate));
        }
        await AppProcess.AssertVerifies(database);
    }

    private static Task<List<Member>> Members(TestDatabase database) => database.Query(
        "select cluster_id, silo_name, address, port, proxy_port, status from memberships",
        row => new Member(row.GetString(0), row.GetString(1), row.GetString(2), row.GetInt32(3), row.GetInt32(4),
            row.GetInt32(5)));
}
