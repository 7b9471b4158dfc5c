using Tally.Tests.Harness;

namespace Tally.Tests.Clients;

/// <summary>The client for .NET, Tally.Client, in a host.</summary>
public sealed class DotnetClient(PostgresServer server) : SendingEvents(server)
{
    protected override Task<string[]> Program() => ClientPackages.Dotnet();

    [Fact]
    public Task What_other_services_track_while_they_stop_is_sent() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient(new() { ["atStop"] = "stopped", ["batchDelay"] = 3_600_000 });
        await client.Track("view", "service");
        Assert.Equal(new(2, 0, 0, 0), await client.Close());
        Assert.Equal(2, (await app.View("service")).Sequence);
    });

    [Fact]
    public async Task A_wrong_option_ends_the_start_of_the_host()
    {
        await using var client = ClientProgram.Start(await Program(), new Dictionary<string, object?>
        {
            ["address"] = "ftp://tally.example",
        });
        await Assert.ThrowsAsync<InvalidOperationException>(client.Close);
        Assert.Contains("Address must be Tally's address", client.Log, StringComparison.Ordinal);
    }

    [Fact]
    public Task Only_one_program_has_a_queue_folder_and_another_keeps_its_events_in_memory() => WithDatabase(
        async database =>
        {
            var folder = Directory.CreateTempSubdirectory("tally-queue-").FullName;
            var settings = new Dictionary<string, object?> { ["queueFolder"] = folder };
            await using (var first = await StartClient(settings))
            await using (var second = await StartClient(settings))
            {
                await first.Track("view", Visitor);
                await second.Track("view", Visitor);
                Assert.Equal((1L, 1L), ((await first.Figures()).Waiting, (await second.Figures()).Waiting));
                await using var app = await StartApp(database);
                await first.Flush();
                await second.Flush();
                Assert.Equal(2, await Rows(database));
            }
            Directory.Delete(folder, recursive: true);
        });
}
