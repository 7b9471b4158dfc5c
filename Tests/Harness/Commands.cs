using System.Diagnostics;
using System.Text;

namespace Tally.Tests.Harness;

internal static class Commands
{
    /// <summary>Runs a program until it exits.</summary>
    /// <exception cref="InvalidOperationException">It failed; the message has its output.</exception>
    public static async Task Run(string program, params string[] arguments)
    {
        var (code, output) = await Try(program, arguments);
        if (code != 0) throw new InvalidOperationException($"{program} failed with {code}: {output}");
    }

    /// <summary>Runs a program until it exits, with whatever exit code.</summary>
    public static async Task<(int ExitCode, string Output)> Try(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments)
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        var output = new StringBuilder();
        process.OutputDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.ErrorDataReceived += (_, line) => { lock (output) output.AppendLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        await process.WaitForExitAsync(); // also waits until all its output is read
        return (process.ExitCode, output.ToString());
    }
}
