using Tally.Client;
using Tally.Tests.Harness;

namespace Tally.Tests.Clients;

/// <summary>The client for .NET without a host, and what only a program in .NET can give it.</summary>
[Collection<SharedApp>]
public sealed class ClientInProcess(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Fact]
    public async Task An_event_that_cannot_be_written_is_refused_and_never_thrown()
    {
        var refusals = new List<TallyRefusal>();
        await using var client = new TallyClient(new()
        {
            Address = new($"http://127.0.0.1:{FreePort.Next()}"), StopTimeout = TimeSpan.Zero, Refused = refusals.Add,
        });
        Assert.False(client.Track("view", visitor, new Broken()));
        Assert.False(client.Track("view", visitor, new { n = double.NaN }));
        Assert.Equal(["invalid_properties", "invalid_properties"], refusals.Select(one => one.Reason));
        Assert.Equal(new(0, 2, 0, 0), client.Figures);
    }

    [Fact]
    public async Task What_a_disposed_client_leaves_in_its_folder_the_next_one_sends_whatever_JSON_looks_like()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        var folder = Directory.CreateTempSubdirectory("tally-queue-").FullName;
        try
        {
            using (var client = new TallyClient(Options($"http://127.0.0.1:{FreePort.Next()}", folder)))
                for (var i = 0; i < 3; i++) Assert.True(client.Track("view", visitor, new { i, inner = new { i } }));
            await using (var client = new TallyClient(Options($"http://127.0.0.1:{shared.App.Port}", folder)))
            {
                await client.FlushAsync();
                Assert.Equal(new(3, 0, 0, 0), client.Figures);
            }
            Assert.Equal(3, await shared.Rows(visitor));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }

        static TallyOptions Options(string address, string folder) => new()
        {
            Address = new(address), Product = "shop", QueueFolder = folder, Json = new() { WriteIndented = true },
        };
    }

    [Fact]
    public async Task A_key_may_end_as_a_file_s_line_does_and_has_no_spaces()
    {
        await using var client = new TallyClient(new()
        {
            Address = new("https://tally.example"), Key = "of-the-site-0123456789\r\n", StopTimeout = TimeSpan.Zero,
        });
        foreach (var key in (string[])["two words", "käse"])
            Assert.Throws<ArgumentException>(() =>
                new TallyClient(new() { Address = new("https://tally.example"), Key = key }));
    }

    private sealed class Broken
    {
        public string Name => throw new NotImplementedException("It has none.");
    }
}
