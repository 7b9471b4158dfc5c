using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Clients that hold connections and send nothing or almost nothing do not keep others from being served.
/// </summary>
[Collection<ManySockets>]
public sealed class ManyConnections(PostgresServer server)
{
    private const int Idle = 10_000;
    private const int OpenAtOnce = 100; // a listener's backlog is a few hundred
    private const int Slow = 500;
    private const int Posts = 50;
    private const string Head =
        "POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Type: application/x-www-form-urlencoded\r\n";

    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(200); // a slow client's: 5 bytes a second
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Ten_thousand_idle_connections_leave_others_served()
    {
        Assert.SkipWhen(FilesMax() < Idle + 1_000, $"Needs a limit of {Idle + 1_000} open files (ulimit -Hn).");
        await With([], async app =>
        {
            var idle = new Socket?[Idle];
            try
            {
                await Parallel.ForAsync(0, Idle, new ParallelOptions { MaxDegreeOfParallelism = OpenAtOnce },
                    async (i, cancellation) =>
                {
                    idle[i] = await Connect(app);
                    if (i % 2 == 0) return; // never sends a byte; the others are served once, and stay
                    await idle[i]!.SendAsync(Encoding.ASCII.GetBytes(HttpWire.GetOf("/health/live")), cancellation);
                    Assert.True(
                        await idle[i]!.ReceiveAsync(new byte[1024], cancellation).AsTask().WaitAsync(Patience,
                            cancellation) > 0);
                });
                await AssertServes(app);
                var open = (await PrometheusText.Scrape(app)).Sum("kestrel_active_connections");
                Assert.True(open > Idle, $"{open} connections are open");
                await AssertServes(app);
            }
            finally
            {
                foreach (var socket in idle) socket?.Dispose();
            }
            await AssertServes(app);
        });
    }

    [Fact]
    public Task Slow_clients_are_given_up_while_others_are_served() =>
        With(new() { ["Limits__HeadSecondsMax"] = "2" }, async app =>
    {
        var slow = new List<Socket>();
        for (var i = 0; i < Slow; i++)
        {
            var socket = await Connect(app);
            // Each stops in the head, in the body or in the first line.
            await socket.SendAsync(
                Encoding.ASCII.GetBytes((i % 3) switch
                {
                    0 => Head + "X-",
                    1 => Head + "Content-Length: 10000\r\n\r\n",
                    _ => "POST /api/ev"
                }));
            slow.Add(socket);
        }
        var deadline = DateTime.UtcNow + Patience;
        var served = 0;
        while (slow.Count > 0)
        {
            Assert.True(DateTime.UtcNow < deadline, $"{slow.Count} slow clients still hold their connections.");
            foreach (var socket in slow.ToList().Where(HasEnded))
            {
                socket.Dispose();
                slow.Remove(socket);
            }
            foreach (var socket in slow) TrySend(socket);
            Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=meanwhile")).Status);
            served++;
            await Task.Delay(Pace);
        }
        Assert.Equal(served, (await app.View("meanwhile")).Body.GetProperty("total").GetInt64());
    });

    [Fact]
    public Task Connections_beyond_the_limit_are_closed_and_those_within_it_served() =>
        With(new() { ["Limits__ClientConnectionsMax"] = "20" }, async app =>
    {
        var sockets = new List<Socket>();
        for (var i = 0; i < 40; i++) sockets.Add(await Connect(app));
        await Eventually.True(() => Task.FromResult(sockets.Count(HasEnded) is >= 20 and <= 21),
            "Not all of those beyond the limit are closed.");
        for (var i = 0; i < Posts; i++) // over the connection that has been open since the start
            Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=within")).Status);
        foreach (var socket in sockets) socket.Dispose();
        await Eventually.True(async () =>
        {
            using var wire = await HttpWire.Connect(app.Port);
            return await wire!.Ask(HttpWire.GetOf("/health/live")) is { Status: 200 };
        }, "Nobody new is served after the others have left.");
    });

    private async Task With(Dictionary<string, string> limits, Func<AppProcess, Task> test)
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, limits);
        await test(app);
        app.AssertLoggedNo("fail:");
    }

    private static async Task AssertServes(AppProcess app)
    {
        var answers =
            await Task.WhenAll(
                Enumerable.Range(0, Posts)
                    .Select(i => app.PostForm($"action=view&product=k8s&fingerprint=other-{i % 7}")));
        Assert.All(answers, answer => Assert.Equal(200, answer.Status));
        Assert.Equal(200, (await app.View("other-0")).Status);
    }

    private static async Task<Socket> Connect(AppProcess app)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(IPAddress.Loopback, app.Port);
        return socket;
    }

    // Readable means that there is an answer, after which the server closes, or the end.
    private static bool HasEnded(Socket socket) => socket.Poll(0, SelectMode.SelectRead);

    private static void TrySend(Socket socket)
    {
        try
        {
            socket.Send("a"u8);
        }
        catch (SocketException)
        {
            // the server has hung up, which the next look shows
        }
    }

    // The runtime has raised the soft limit to the hard one.
    private static int FilesMax()
    {
        const string line = "Max open files";
        var limits = File.Exists("/proc/self/limits") ? File.ReadAllLines("/proc/self/limits") : [];
        var found =
            limits.FirstOrDefault(limit => limit.StartsWith(line, StringComparison.Ordinal))?[line.Length..].Split(' ',
                StringSplitOptions.RemoveEmptyEntries);
        return found is [var soft, ..] && int.TryParse(soft, CultureInfo.InvariantCulture, out var files) ? files : 0;
    }
}
