using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Bench.Contenders;

/// <summary>A server in its own process, killed when disposed.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(120);

    private readonly Process process;
    private readonly StringBuilder output = new();

    private ServerProcess(Process process, int port)
    {
        (this.process, Port) = (process, port);
        process.OutputDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.ErrorDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }
    public int Id => process.Id;
    public bool HasEnded => process.HasExited;

    /// <summary>Starts it without waiting.</summary>
    /// <param name="environment">Variables besides this process' own.</param>
    public static ServerProcess Launch(string folder, int port, string program, string[] arguments,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        foreach (var (name, value) in environment ?? new Dictionary<string, string>()) start.Environment[name] = value;
        return new(Process.Start(start)!, port);
    }

    /// <summary>Starts it and waits until it listens.</summary>
    /// <inheritdoc cref="Launch"/>
    public static async Task<ServerProcess> Start(string folder, int port, string program, string[] arguments,
        IReadOnlyDictionary<string, string>? environment = null)
    {
        var server = Launch(folder, port, program, arguments, environment);
        for (var deadline = DateTime.UtcNow + StartPatience; !await server.Listens(); await Task.Delay(50))
        {
            if (DateTime.UtcNow < deadline) continue;
            await server.DisposeAsync();
            throw new InvalidOperationException($"{program} does not listen.");
        }
        return server;
    }

    private async Task<bool> Listens()
    {
        if (process.HasExited) throw new InvalidOperationException($"{process.StartInfo.FileName} ended: {Output}");
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync(IPAddress.Loopback, Port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>Stops it as an operator would, with SIGTERM.</summary>
    public async Task Stop()
    {
        await Commands.Run("kill", "-TERM", $"{Id}");
        await process.WaitForExitAsync();
    }

    /// <summary>What it has printed, and how it ended if it did.</summary>
    public string Output
    {
        get
        {
            lock (output) return process.HasExited ? $"{output}exit code {process.ExitCode}" : output.ToString();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(entireProcessTree: true);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
