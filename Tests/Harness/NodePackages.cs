using System.Diagnostics;

namespace Tally.Tests.Harness;

/// <summary>The packages of Tests/Sdk, installed from npm as their lock file says.</summary>
internal static class NodePackages
{
    private static readonly Lazy<Task> installed = new(Install);

    public static string Folder { get; } = Repository.File("Tests/Sdk");

    /// <summary>Installs them once. Skips the test if node or npm is missing.</summary>
    public static async Task Ready()
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':');
        foreach (var program in (string[])["node", "npm"])
            Assert.SkipWhen(!path.Any(folder => File.Exists(Path.Combine(folder, program))),
                $"The SDKs from npm need {program}: install it (Debian: apt-get install nodejs npm).");
        await installed.Value;
    }

    /// <summary>Starts a script of the folder.</summary>
    public static async Task<Process> Start(string script, params string[] arguments)
    {
        await Ready();
        return Process.Start(new ProcessStartInfo("node", ["--no-warnings", script, .. arguments])
        {
            WorkingDirectory = Folder,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
        })!;
    }

    // npm writes its own copy of the lock file last, when everything else is installed.
    private static async Task Install()
    {
        var wanted = Path.Combine(Folder, "package-lock.json");
        var present = Path.Combine(Folder, "node_modules/.package-lock.json");
        if (File.Exists(present) && File.GetLastWriteTimeUtc(present) >= File.GetLastWriteTimeUtc(wanted)) return;
        await Commands.Run("npm", "ci", "--prefix", Folder, "--ignore-scripts", "--no-audit", "--no-fund");
    }
}
