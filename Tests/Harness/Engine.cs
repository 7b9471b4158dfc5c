using System.Diagnostics;
using System.Text.Json;

namespace Tally.Tests.Harness;

/// <summary>The container engine, through its command line.</summary>
internal static class Engine
{
    private static readonly Lazy<Task<string?>> Missing = new(FindMissing);

    /// <summary>Skips the test if there is no engine.</summary>
    public static async Task Require()
    {
        var missing = await Missing.Value;
        Assert.SkipWhen(missing is not null, $"Containers need a container engine that answers: {missing}");
    }

    /// <summary>Runs docker until it exits.</summary>
    /// <returns>Its standard output without the final line end.</returns>
    /// <exception cref="InvalidOperationException">It failed; the message has its output.</exception>
    public static async Task<string> Docker(params string[] arguments)
    {
        var (exitCode, output, error) = await Try(arguments);
        return exitCode == 0 ? output.TrimEnd()
            : throw new InvalidOperationException(
                $"docker {string.Join(' ', arguments)} failed with {exitCode}: {output}{error}");
    }

    /// <summary>Runs docker until it exits, with whatever exit code.</summary>
    /// <param name="environment">Added to this process's environment.</param>
    public static async Task<(int ExitCode, string Output, string Error)> Try(
        string[] arguments, Dictionary<string, string>? environment = null)
    {
        var start =
            new ProcessStartInfo("docker", arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["DOCKER_BUILDKIT"] = "0"; // the legacy builder, which the product promises to support
        foreach (var (name, value) in environment ?? []) start.Environment[name] = value;
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    /// <summary>The output of docker inspect for an image or a container.</summary>
    public static async Task<JsonElement> Inspect(string name) =>
        JsonSerializer.Deserialize<JsonElement>(await Docker("inspect", name))[0];

    public static Task<string> Health(string container) =>
        Docker("inspect", "--format", "{{.State.Health.Status}}", container);

    private static async Task<string?> FindMissing()
    {
        try
        {
            var (engine, _, error) = await Try(["version", "--format", "{{.Server.Version}}"]);
            if (engine != 0) return $"start Docker ({error.Trim()})";
            return (await Try(["compose", "version"])).ExitCode == 0 ? null : "install Docker's compose plugin.";
        }
        catch (System.ComponentModel.Win32Exception)
        {
            return "install Docker and its compose plugin.";
        }
    }
}
