using System.Globalization;
using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The ports that a process opens, as the operating system lists them.</summary>
public sealed class SiloPorts(PostgresServer server)
{
    [Fact]
    public async Task With_sqlite_there_is_none_but_the_front_ends()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
        Assert.Equal([app.Port], Listening(app).Select(at => at.Port));
        Assert.Equal(0, await app.Terminate());
    }

    [Fact]
    public async Task A_silo_listens_on_the_address_that_it_advertises_alone_and_has_no_gateway()
    {
        var own = OwnAddress();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var app = await AppProcess.Start(database, flags: [$"-advertise={own}"]);
        var silo = Assert.Single(Listening(app), at => at.Port != app.Port);
        Assert.Equal(own, silo.Address);
    }

    [Fact]
    public async Task Who_serves_the_loopback_alone_advertises_it()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var app = AppProcess.Launch(database, place: new("127.0.0.3", null));
        await app.WaitReady();
        Assert.Equal(["127.0.0.3"], await database.Query("select address from memberships", row => row.GetString(0)));
        Assert.All(Listening(app), at => Assert.Equal(IPAddress.Parse("127.0.0.3"), at.Address));
    }

    // An address under which others could reach this machine, if it has one.
    private static IPAddress OwnAddress() => NetworkInterface.GetAllNetworkInterfaces()
        .Where(one => one.OperationalStatus == OperationalStatus.Up)
        .SelectMany(one => one.GetIPProperties().UnicastAddresses)
        .Select(one => one.Address)
        .FirstOrDefault(at => at.AddressFamily == AddressFamily.InterNetwork && !IPAddress.IsLoopback(at))
        ?? IPAddress.Loopback;

    // Its sockets in state 0A, listening. The addresses are in the machine's byte order.
    private static List<IPEndPoint> Listening(AppProcess app)
    {
        Assert.SkipUnless(Directory.Exists("/proc/self/fd"),
            "What a process listens on is to be seen in Linux' /proc.");
        var sockets = Directory.GetFiles($"/proc/{app.ProcessId}/fd").Select(file => new FileInfo(file).LinkTarget)
            .Where(target => target?.StartsWith("socket:[", StringComparison.Ordinal) == true)
            .Select(target => target![8..^1]).ToHashSet();
        return [.. ((string[])["tcp", "tcp6"]).SelectMany(kind =>
            File.ReadLines($"/proc/{app.ProcessId}/net/{kind}").Skip(1))
            .Select(line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            .Where(columns => columns[3] == "0A" && sockets.Contains(columns[9]))
            .Select(columns => columns[1].Split(':'))
            .Select(at =>
                new IPEndPoint(Address(at[0]),
                    int.Parse(at[1], NumberStyles.HexNumber, CultureInfo.InvariantCulture)))];
    }

    private static IPAddress Address(string hex)
    {
        var bytes = Convert.FromHexString(hex);
        for (var word = 0; word < bytes.Length; word += 4) Array.Reverse(bytes, word, 4);
        return new(bytes);
    }
}
