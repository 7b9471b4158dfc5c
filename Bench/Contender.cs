using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Tally.Bench;

/// <summary>A server under measurement, in a process of its own.</summary>
internal sealed class Contender : IAsyncDisposable
{
    private readonly Process process;

    private Contender(string name, int port, Process process) => (Name, Port, this.process) = (name, port, process);

    public string Name { get; }
    public int Port { get; }

    public static Task<Contender> StartTally(string dbUrl)
    {
        var port = FreePort();
        return Start("tally", port, Path.Combine(AppContext.BaseDirectory, "app"), "-port", $"{port}", "-host", "127.0.0.1", "-dbUrl", dbUrl);
    }

    public static Task<Contender> StartBare()
    {
        var port = FreePort();
        return Start("bare", port, Environment.ProcessPath!, "serve-bare", $"{port}");
    }

    public static Task<Contender> StartInsert(string connectionString)
    {
        var port = FreePort();
        return Start("insert", port, Environment.ProcessPath!, "serve-insert", $"{port}", connectionString);
    }

    private static async Task<Contender> Start(string name, int port, string program, params string[] arguments)
    {
        var contender = new Contender(name, port, Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!);
        contender.process.BeginOutputReadLine();
        for (var deadline = DateTime.UtcNow.AddSeconds(60); !await Listens(port); await Task.Delay(100))
            if (DateTime.UtcNow > deadline || contender.process.HasExited)
                throw new InvalidOperationException($"{name} did not start.");
        return contender;
    }

    private static async Task<bool> Listens(int port)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    public async ValueTask DisposeAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
