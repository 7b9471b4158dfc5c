using Tally.Silo.CommandLine;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>Where a setting comes from: a flag beats the environment, which beats the default.</summary>
public sealed class Settings : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tally-settings-").FullName;

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Theory]
    [InlineData("-dbUrl {0}")]
    [InlineData("-dbUrl={0}")]
    [InlineData("--dbUrl {0}")]
    [InlineData("--dbUrl={0}")]
    public async Task A_flag_may_be_written_in_four_ways(string form)
    {
        await AssertUses("flag", string.Format(null, form, Url("flag")).Split(' '), []);
        var port = await Health(string.Format(null, form.Replace("dbUrl", "port"), 1).Split(' '), []);
        Assert.Contains("127.0.0.1:1)", port);
    }

    [Theory]
    [InlineData("APP_DB_URL")]
    [InlineData("APP_DBURL")]
    [InlineData("DB_URL")]
    public async Task The_database_has_three_variables_and_each_a_file(string variable)
    {
        await AssertUses("variable", [], new() { [variable] = Url("variable") });
        var file = Path.Combine(folder, "secret");
        foreach (var end in (string[])["", "\n", "\r\n"])
        {
            await File.WriteAllTextAsync(file, Url("file") + end);
            await AssertUses("file", [], new() { [variable + "_FILE"] = file });
        }
    }

    [Fact]
    public async Task A_flag_beats_the_environment()
    {
        await AssertUses("flag", ["-dbUrl", Url("flag")],
            new() { ["APP_DB_URL"] = Url("variable"), ["DB_URL"] = "not read" });
        Assert.Contains("127.0.0.1:1)", await Health(["-port=1"], new() { ["APP_PORT"] = "2" }));
    }

    [Fact]
    public async Task The_documented_variable_beats_its_other_names_and_a_file_beats_its_variable()
    {
        var file = Path.Combine(folder, "url");
        await File.WriteAllTextAsync(file, Url("file"));
        await AssertUses("first", [],
            new() { ["APP_DB_URL"] = Url("first"), ["APP_DBURL"] = Url("second"), ["DB_URL_FILE"] = "/no/such/file" });
        await AssertUses("file", [],
            new() { ["APP_DB_URL_FILE"] = file, ["APP_DB_URL"] = Url("first"), ["DB_URL"] = Url("third") });
    }

    [Fact]
    public async Task Port_and_host_have_variables_and_files_too()
    {
        var (port, host) = (Path.Combine(folder, "port"), Path.Combine(folder, "host"));
        await File.WriteAllTextAsync(port, "2\n");
        await File.WriteAllTextAsync(host, "127.0.0.2\n");
        Assert.Contains("127.0.0.3:1)", await Health([], new() { ["APP_PORT"] = "1", ["APP_HOST"] = "127.0.0.3" }));
        Assert.Contains("127.0.0.2:2)", await Health([], new() { ["APP_PORT_FILE"] = port, ["APP_HOST_FILE"] = host }));
        Assert.Contains("127.0.0.1:1)", await Health(["-host=localhost", "-port=1"], []));
        Assert.Contains("[::1]:1)", await Health(["-host=::", "-port=1"], []));
    }

    [Fact]
    public async Task Without_any_the_defaults_hold()
    {
        var (exitCode, output, _) = await AppProcess.Run(["migrate"], [], workingDirectory: folder);
        Assert.Equal(0, exitCode);
        Assert.EndsWith("sqlite:data/tally.db is up to date.\n", output);
        Assert.True(File.Exists(Path.Combine(folder, "data", "tally.db")));
    }

    [Theory]
    [InlineData("-help")]
    [InlineData("--help")]
    [InlineData("-h")]
    [InlineData("migrate", "-help")]
    public async Task Help_shows_each_flag_with_its_variable_and_default(params string[] arguments)
    {
        var (exitCode, output, error) = await AppProcess.Run(arguments);
        Assert.Equal((0, ""), (exitCode, error));
        var lines = output.Split('\n').Select(line => line.Trim()).ToList();
        foreach (var flag in AppFlags.All)
        {
            var at = lines.FindIndex(line =>
                line.StartsWith($"{flag.Option.Name} <{flag.Option.HelpName}>", StringComparison.Ordinal));
            Assert.True(at >= 0, flag.Option.Name);
            // before the next flag
            Assert.Equal($"{flag.Variables[0]}, default {flag.Default}",
                lines.Skip(at + 1).First(line => line.StartsWith("APP_", StringComparison.Ordinal)));
        }
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 120));
        if (arguments.Length == 1)
            Assert.All((string[])["migrate", "verify", "health"],
                command => Assert.Contains(lines, line => line.StartsWith(command + " ", StringComparison.Ordinal)));
    }

    private string Url(string name) => $"sqlite:{folder}/{name}.db";

    // migrate says which database it used.
    private async Task AssertUses(string name, string[] arguments, Dictionary<string, string> environment)
    {
        var (exitCode, output, error) = await AppProcess.Run(["migrate", .. arguments], environment);
        Assert.True(exitCode == 0, error);
        Assert.EndsWith($"{Url(name)} is up to date.\n", output);
        Assert.True(File.Exists($"{folder}/{name}.db"));
    }

    // If nothing listens, health says where it asked.
    private static async Task<string> Health(string[] arguments, Dictionary<string, string> environment)
    {
        var (exitCode, _, error) = await AppProcess.Run(["health", .. arguments], environment);
        Assert.Equal(1, exitCode);
        return error;
    }
}
