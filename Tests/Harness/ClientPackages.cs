namespace Tally.Tests.Harness;

/// <summary>
/// The clients of Clients/, packed as they are published, and a program for each that has the package installed from
/// that file.
/// </summary>
internal static class ClientPackages
{
    // One that is published nowhere.
    private const string Version = "0.0.0-packed";

    private static readonly Lazy<Task<string[]>> dotnet = new(BuildDotnet);
    private static readonly Lazy<Task<string>> node = new(InstallNode);

    /// <summary>How to start the program that has Tally.Client. Skips the test if there is no .NET SDK.</summary>
    public static Task<string[]> Dotnet() => dotnet.Value;

    /// <summary>How to start the program that has tally-client. Skips the test if there is no Node.</summary>
    public static async Task<string[]> Node() =>
        [Tool.Find("node", "The client for Node", "nodejs"), Path.Combine(await NodeFolder(), "program.js")];

    /// <summary>The folder in whose node_modules tally-client is.</summary>
    public static Task<string> NodeFolder() => node.Value;

    // In a fresh folder, so that nothing of a former run is taken for new. The repository's settings do not apply to
    // the program, which stands for somebody else's.
    private static async Task<string[]> BuildDotnet()
    {
        var sdk = Tool.Find("dotnet", "The client for .NET", "dotnet-sdk-10.0");
        var folder = Fresh("client-dotnet");
        foreach (var file in Directory.GetFiles(Repository.File("Tests/Clients/Dotnet")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        foreach (var name in (string[])["Directory.Build.props", "Directory.Packages.props"])
            await File.WriteAllTextAsync(Path.Combine(folder, name), "<Project />");
        var packed = Path.Combine(folder, "packed");
        string[] alone = ["-nodeReuse:false", "-p:UseSharedCompilation=false", "-v:quiet", "-nologo"];
        await Commands.Run(sdk, ["pack", Repository.File("Clients/Tally.Client"), "--no-restore", "-o", packed,
            $"-p:Version={Version}", .. alone]);
        // Other packages are where the restore of this repository has put them.
        await Commands.Run(sdk, ["build", folder, "-o", Path.Combine(folder, "out"), $"-p:PackedVersion={Version}",
            $"-p:RestoreAdditionalProjectSources={packed}",
            $"-p:RestorePackagesPath={Path.Combine(folder, "packages")}",
            $"-p:RestoreFallbackFolders={MachinePackages}", .. alone]);
        return [sdk, Path.Combine(folder, "out/Program.dll")];
    }

    private static async Task<string> InstallNode()
    {
        var npm = Tool.Find("npm", "The client for Node", "npm");
        var folder = Fresh("client-node");
        foreach (var file in Directory.GetFiles(Repository.File("Tests/Clients/Node")))
            File.Copy(file, Path.Combine(folder, Path.GetFileName(file)));
        await Commands.Run(npm, "pack", Repository.File("Clients/tally-client"), "--pack-destination", folder);
        await Commands.Run(npm, "install", "--prefix", folder, "--offline", "--no-audit", "--no-fund",
            Assert.Single(Directory.GetFiles(folder, "*.tgz")));
        return folder;
    }

    private static string MachinePackages => Environment.GetEnvironmentVariable("NUGET_PACKAGES") is { Length: > 0 } set
        ? set : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget/packages");

    private static string Fresh(string name)
    {
        var folder = Path.Combine(AppContext.BaseDirectory, name);
        if (Directory.Exists(folder)) Directory.Delete(folder, recursive: true);
        return Directory.CreateDirectory(folder).FullName;
    }
}
