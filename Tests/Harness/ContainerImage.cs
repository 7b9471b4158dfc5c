[assembly: Xunit.AssemblyFixture(typeof(Tally.Tests.Harness.ContainerImage))]

namespace Tally.Tests.Harness;

/// <summary>
/// The product's image, built once per test run by the legacy builder, from a clean clone of the last commit.
/// </summary>
public sealed class ContainerImage : IAsyncDisposable
{
    private readonly string run = Guid.NewGuid().ToString("N")[..8];
    private readonly string clone = Directory.CreateTempSubdirectory("tally-clone-").FullName;
    private readonly List<string> built = [];
    private readonly Lazy<Task<string>> first;
    private readonly Lazy<Task<string>> debian11;

    public ContainerImage()
    {
        first = new(() => Clone("debian12"));
        debian11 = new(() => After("debian11", "--build-arg", "RUNTIME_IMAGE=gcr.io/distroless/cc-debian11:nonroot"));
    }

    /// <summary>The checkout that the image is built from.</summary>
    public string Source => clone;

    /// <summary>Builds the image on the first call. Skips the test if there is no engine.</summary>
    /// <returns>The image's name.</returns>
    public async Task<string> Name()
    {
        await Engine.Require();
        return await first.Value;
    }

    /// <summary>The image's Debian 11 variant.</summary>
    public async Task<string> OnDebian11()
    {
        await Engine.Require();
        return await debian11.Value;
    }

    /// <summary>The same program in another image, like a new version.</summary>
    public Task<string> NextVersion() => After("next", "--build-arg", "REVISION=next");

    /// <summary>Removes a test's volume, if there is an engine.</summary>
    public async Task Forget(string volume)
    {
        if (built.Count > 0) await Engine.Try(["volume", "rm", "--force", volume]);
    }

    public async ValueTask DisposeAsync()
    {
        // The layers stay, so that the next run's build is quick.
        if (built.Count > 0) await Engine.Try(["rmi", "--no-prune", .. built]);
        Directory.Delete(clone, recursive: true);
    }

    private async Task<string> Clone(string variant)
    {
        await Commands.Run("git", "clone", "--quiet", "--depth", "1", $"file://{Repository.Root}", clone);
        return await Build(variant);
    }

    private async Task<string> After(string variant, params string[] arguments)
    {
        await first.Value;
        return await Build(variant, arguments);
    }

    private async Task<string> Build(string variant, params string[] arguments)
    {
        var name = $"tally-test-{run}:{variant}";
        await Engine.Docker(["build", "--tag", name, .. arguments, clone]);
        built.Add(name);
        return name;
    }
}
