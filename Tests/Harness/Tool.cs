namespace Tally.Tests.Harness;

/// <summary>Programs of this machine.</summary>
internal static class Tool
{
    /// <summary>The path of a program. Skips the test if it is missing.</summary>
    /// <param name="what">What needs it, as the beginning of a sentence.</param>
    /// <param name="package">Debian's package.</param>
    public static string Find(string name, string what, string package)
    {
        var path = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .Select(folder => Path.Combine(folder, name)).FirstOrDefault(File.Exists);
        Assert.SkipWhen(path is null, $"{what} needs {name}: install it (Debian: apt-get install {package}).");
        return path!;
    }
}
