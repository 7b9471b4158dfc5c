using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>What -logFormat does to standard output.</summary>
public sealed class TheLogsFormat(PostgresServer server)
{
    [Fact]
    public async Task As_json_each_line_is_an_object_with_a_time_in_utc()
    {
        var before = DateTimeOffset.UtcNow;
        var lines = await LinesOf(["-logFormat=json"]);
        Assert.NotEmpty(lines);
        var messages = lines.Select(line => JsonDocument.Parse(line).RootElement).ToList();
        Assert.All(messages, message =>
        {
            var time = message.GetProperty("Timestamp").GetString()!;
            Assert.EndsWith("Z", time);
            Assert.InRange(DateTimeOffset.Parse(time, CultureInfo.InvariantCulture), before.AddSeconds(-1),
                DateTimeOffset.UtcNow.AddSeconds(1));
            Assert.Equal("Information", message.GetProperty("LogLevel").GetString());
            Assert.NotEqual("", message.GetProperty("Category").GetString());
        });
        var start = Assert.Single(messages,
            message => message.GetProperty("Message").GetString()!.StartsWith("Events are recorded in", StringComparison.Ordinal));
        Assert.StartsWith("no keys are set", start.GetProperty("State").GetProperty("KeysNeeded").GetString());
    }

    [Fact]
    public async Task As_text_each_line_begins_with_a_time_in_utc() => Assert.All(await LinesOf([]),
        line => Assert.Matches(@"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z info: ", line));

    [Fact]
    public async Task Anything_else_is_a_mistake()
    {
        var (exitCode, output, error) = await AppProcess.Run(["-logFormat=xml"]);
        Assert.Equal((2, ""), (exitCode, output));
        Assert.Equal("app: -logFormat: expected text or json. See app -help.\n", error);
    }

    private async Task<List<string>> LinesOf(string[] flags)
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: flags);
        Assert.Equal(0, await app.Terminate());
        return [.. app.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }
}
