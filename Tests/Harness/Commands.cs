using System.Diagnostics;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>Other programs, run to their ends.</summary>
internal static class Commands
{
    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; with what it printed.</exception>
    public static async Task Run(string program, params string[] arguments)
    {
        var (code, output) = await Try(program, arguments);
        if (code != 0) throw new InvalidOperationException($"{program} failed with {code}: {output}");
    }

    /// <summary>Runs a program to its end, whatever its exit code.</summary>
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
        await process.WaitForExitAsync(); // and for the end of what it prints
        return (process.ExitCode, output.ToString());
    }
}
