using System.Diagnostics;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>The real HAProxy with the configuration that the product ships, in front of a test's silos.</summary>
public sealed class LoadBalancer : IAsyncDisposable
{
    private const int StartSeconds = 180; // includes the silos' own start

    private readonly Process process;
    private readonly string servers;
    private readonly StringBuilder output = new();

    private LoadBalancer(Process process, string servers, int port)
    {
        (this.process, this.servers, Port) = (process, servers, port);
        process.OutputDataReceived += (_, line) => Keep(line.Data);
        process.ErrorDataReceived += (_, line) => Keep(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }

    /// <summary>Its log: silos that came and went, and requests without a complete answer.</summary>
    public string Output { get { lock (output) return output.ToString(); } }

    /// <summary>Starts it and waits until a silo behind it is ready. Skips the test if there is no HAProxy.</summary>
    public static async Task<LoadBalancer> Start(params (string Host, int Port)[] silos)
    {
        var balancer = await Launch(silos);
        try
        {
            await balancer.WaitServing();
        }
        catch
        {
            await balancer.DisposeAsync();
            throw;
        }
        return balancer;
    }

    /// <summary>Starts it without waiting.</summary>
    public static async Task<LoadBalancer> Launch(params (string Host, int Port)[] silos)
    {
        var binary = FindBinary();
        Assert.SkipWhen(binary is null, "A load balancer needs HAProxy: install it (Debian: apt-get install haproxy).");
        var servers = Path.GetTempFileName();
        await File.WriteAllLinesAsync(servers,
            ["backend silos", .. silos.Select((silo, index) => $"    server silo{index + 1} {silo.Host}:{silo.Port}")]);
        var port = FreePort.Next();
        var start = new ProcessStartInfo(binary, ["-f", Repository.File("deploy/haproxy.cfg"), "-f", servers])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["TALLY_BIND"] = $"127.0.0.1:{port}";
        return new(Process.Start(start)!, servers, port);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill(); // it holds nothing that could be lost
        await process.WaitForExitAsync();
        process.Dispose();
        File.Delete(servers);
    }

    // Debian installs it in a folder that may not be on a user's PATH.
    private static string? FindBinary() =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/sbin")
        .Select(folder => Path.Combine(folder, "haproxy")).FirstOrDefault(File.Exists);

    private async Task WaitServing()
    {
        var last = "";
        await Eventually.True(async () =>
        {
            Assert.False(process.HasExited, $"HAProxy ended: {Output}");
            using var wire = await HttpWire.Connect(Port);
            var answer = wire is null ? null : await wire.Ask(HttpWire.GetOf("/health/ready"));
            last = $"{answer?.Status} {answer?.Body}";
            return answer is { Status: 200 };
        }, () => $"HAProxy does not serve, but answers '{last}': {Output}", StartSeconds);
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (output) output.AppendLine(line);
    }
}
