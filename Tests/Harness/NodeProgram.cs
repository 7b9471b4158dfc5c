using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>A program of Tests/Sdk that reads JSON lines, and says what became of them.</summary>
internal static class NodeProgram
{
    /// <summary>Runs it until it has read all lines and ends.</summary>
    /// <returns>The lines that it wrote.</returns>
    public static async Task<string[]> Run(string script, string[] arguments, IEnumerable<object> lines)
    {
        using var process = await NodePackages.Start(script, arguments);
        var output = process.StandardOutput.ReadToEndAsync();
        foreach (var line in lines) await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(line));
        process.StandardInput.Close();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return (await output).Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
