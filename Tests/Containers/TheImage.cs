using System.Formats.Tar;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Containers;

/// <summary>What is in the image, and what is not.</summary>
[Collection<TheContainers>]
public sealed class TheImage(ContainerImage image)
{
    [Fact]
    public async Task It_is_the_app_itself_run_by_nobody_in_particular()
    {
        var config = (await Engine.Inspect(await image.Name())).GetProperty("Config");
        Assert.Equal("65532:65532", config.GetProperty("User").GetString());
        Assert.Equal(["/app/app"], Words(config.GetProperty("Entrypoint")));
        Assert.Equal(JsonValueKind.Null, config.GetProperty("Cmd").ValueKind);
        Assert.Equal(["CMD", "/app/app", "health"], Words(config.GetProperty("Healthcheck").GetProperty("Test")));
        Assert.True(config.GetProperty("ExposedPorts").TryGetProperty("9000/tcp", out _));
        Assert.Equal("Tally", config.GetProperty("Labels").GetProperty("org.opencontainers.image.title").GetString());
    }

    [Fact]
    public async Task Its_variables_show_the_defaults()
    {
        var name = await image.Name();
        var variables = Words((await Engine.Inspect(name)).GetProperty("Config").GetProperty("Env"))
            .Select(pair => pair.Split('=', 2)).ToDictionary(pair => pair[0], pair => pair[1]);
        Assert.Equal("sqlite:/data/tally.db", variables["DB_URL"]);
        var help = (await AppContainer.Run(name, [], "-help")).Output.Split('\n').Select(line => line.Trim());
        foreach (var line in help.Where(line => line.StartsWith("APP_", StringComparison.Ordinal)))
        {
            var (variable, fallback) = (line.Split(',')[0], line.Split("default ")[1]);
            // the host's name is not constant
            if (variable is not ("APP_DB_URL" or "APP_SILO_NAME")) Assert.Equal(fallback, variables[variable]);
        }
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task Nothing_is_there_that_the_app_does_not_need(bool onDebian11)
    {
        var name = onDebian11 ? await image.OnDebian11() : await image.Name();
        var files = await Files(name);
        Assert.Contains(files, file => file.Name == "app/app");
        Assert.DoesNotContain(files,
            file => Path.GetFileName(file.Name) is "sh" or "bash" or "dash" or "ash" or "busybox" or "dotnet" or "apt");
        Assert.DoesNotContain(files,
            file => Path.GetExtension(file.Name) is ".pdb" or ".dbg" or ".xml"
                && file.Name.StartsWith("app/", StringComparison.Ordinal));
        Assert.DoesNotContain(files,
            file => file.Name.StartsWith("app/Microsoft.CodeAnalysis", StringComparison.Ordinal));
        Assert.DoesNotContain(files,
            file => file.EntryType is TarEntryType.RegularFile
                && (file.Mode & (UnixFileMode.SetUser | UnixFileMode.SetGroup)) != 0);
    }

    [Fact]
    public async Task Only_its_data_can_be_written_by_its_user()
    {
        var files = await Files(await image.Name());
        var ours = files.Where(file => file.Name.StartsWith("app/", StringComparison.Ordinal)).ToList();
        Assert.All(ours, file => Assert.Equal((0, 0), (file.Uid, file.Gid)));
        Assert.All(ours, file => Assert.Equal(UnixFileMode.None, file.Mode & UnixFileMode.OtherWrite));
        var data = Assert.Single(files, file => file.Name == "data/");
        Assert.Equal((65532, 65532), (data.Uid, data.Gid));
        Assert.True(data.Mode.HasFlag(UnixFileMode.OtherWrite), "An arbitrary --user could not write its data.");
    }

    [Fact]
    public async Task A_change_of_the_source_restores_nothing_anew()
    {
        await image.Name();
        // Not in the image's own source: from that the other images are built, from layers that exist already.
        var changed = Directory.CreateTempSubdirectory("tally-changed-").FullName;
        try
        {
            await Commands.Run("git", "clone", "--quiet", "--depth", "1", $"file://{image.Source}", changed);
            await File.AppendAllTextAsync(Path.Combine(changed, "Silo/Program.cs"), "// changed\n");
            var build = await Engine.Docker("build", "--target", "restore", changed);
            Assert.Contains("dotnet restore", build);
            Assert.DoesNotContain("Running in", build);
        }
        finally
        {
            Directory.Delete(changed, recursive: true);
        }
    }

    [Fact]
    public async Task On_Debian_11_it_serves_too()
    {
        await using var container = await AppContainer.Start(await image.OnDebian11(), []);
        Assert.Equal(200, (await container.PostForm("action=view&product=k8s&fingerprint=XYZ")).Status);
        Assert.Equal(1, (await container.View("XYZ")).Sequence);
    }

    private static string[] Words(JsonElement list) => [.. list.EnumerateArray().Select(word => word.GetString()!)];

    // The files of a container that never ran: the image's and those that the engine adds to any.
    private static async Task<List<TarEntry>> Files(string image)
    {
        var container = await Engine.Docker("create", image);
        var file = Path.GetTempFileName();
        try
        {
            await Engine.Docker("export", "--output", file, container);
            await using var stream = File.OpenRead(file);
            await using var tar = new TarReader(stream);
            var entries = new List<TarEntry>();
            while (await tar.GetNextEntryAsync() is { } entry) entries.Add(entry);
            return entries;
        }
        finally
        {
            await Engine.Docker("rm", container);
            File.Delete(file);
        }
    }
}
