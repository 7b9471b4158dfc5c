using System.Diagnostics;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>An SDK for servers, in its own program: a script of Tests/Sdk.</summary>
internal sealed class NodeSdk : IAsyncDisposable
{
    private readonly Process process;
    private readonly Task<string> output;

    private NodeSdk(Process process) => (this.process, output) = (process, process.StandardOutput.ReadToEndAsync());

    /// <param name="port">Tally's port on the loopback.</param>
    /// <param name="script">By default Segment's.</param>
    public static async Task<NodeSdk> Start(int port, string writeKey, string script = "node.js") =>
        new(await NodePackages.Start(script, $"http://127.0.0.1:{port}", writeKey));

    public async Task Call(string call, object with)
    {
        var line = new Dictionary<string, object> { ["call"] = call, ["with"] = with };
        await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(line));
        await process.StandardInput.FlushAsync();
    }

    /// <summary>Flushes, and waits until each message is delivered or given up.</summary>
    /// <returns>The messages' ids by their fate.</returns>
    public async Task<ILookup<string, string>> Close()
    {
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split(' '))
            .ToLookup(words => words[0], words => words[1]);
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) process.Kill();
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
