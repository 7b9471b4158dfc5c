using System.Diagnostics;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>The Standard Webhooks library from npm, in its own program: Tests/Sdk/verify.js.</summary>
internal static class WebhookVerifier
{
    /// <summary>What the library says of each: "valid" and the type, or "refused".</summary>
    public static async Task<string[]> Verify(params (string Secret, Received Request)[] webhooks)
    {
        await NodePackages.Ready();
        using var process = Process.Start(new ProcessStartInfo("node", ["--no-warnings", "verify.js"])
        {
            WorkingDirectory = NodePackages.Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
        foreach (var (secret, request) in webhooks)
            await process.StandardInput.WriteLineAsync(JsonSerializer.Serialize(new Dictionary<string, object>
            {
                ["secret"] = secret, ["headers"] = request.Headers, ["body"] = request.Body,
            }));
        process.StandardInput.Close();
        var said = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        Assert.Equal(0, process.ExitCode);
        return said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }
}
