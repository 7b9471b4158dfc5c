using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// Live streams while silos die or pause under load: the silos that serve the streams and those that the fingerprints
/// live on.
/// </summary>
[Collection<Clusters>]
public sealed class LiveUnderFaults(PostgresServer server)
{
    private const int Hot = 6;
    private const int EventsBetween = 400;

    [Fact]
    public async Task Every_event_comes_once_and_in_order_whichever_silo_dies()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        IReadOnlyList<IServing> All() => [.. Enumerable.Range(0, silos.Count).Select(place => silos[place])];
        var clients = Enumerable.Range(0, Hot * 3)
            .Select(i => LiveClient.Start(All, $"{Load.HotPrefix}{i % Hot}", place: i / Hot)).ToList();
        await using var counts = await LiveStream.Open(silos[2], "/api/live");
        var added = AddUp(counts);
        var load = Load.Start(silos.Ports, seed, new() { HotFingerprints = Hot });
        await load.Acknowledges(EventsBetween);
        await silos[0].Kill();
        await load.Acknowledges(EventsBetween);
        await silos.StartAgain();
        await load.Acknowledges(EventsBetween);
        Assert.Equal(0, await silos[2].Terminate());
        await load.Acknowledges(EventsBetween);
        await load.Finish();

        var heads = (await database.Query("select fingerprint, max(sequence) from events group by fingerprint",
            row => (row.GetString(0), row.GetInt64(1)))).ToDictionary();
        foreach (var client in clients)
        {
            await client.Knows(heads[client.Fingerprint]);
            await client.DisposeAsync();
            Assert.Equal(Enumerable.Range(1, (int)heads[client.Fingerprint]).Select(i => (long)i), client.Told);
        }
        Assert.All(clients.Take(Hot), client => Assert.True(client.Streams > 1, "A reader has outlived its silo."));
        Assert.InRange(await added, EventsBetween, heads.Values.Sum());
        await using var after = await LiveStream.Open(silos[0], "/api/live");
        Assert.Equal(heads.Values.Sum(), (await after.NextData()).GetProperty("total").GetInt64());
        await AppProcess.AssertVerifies(database);
    }

    // Whichever silo recorded or merged an event, the total grows by what is added. Reads until the stream says that it
    // ends.
    private static async Task<long> AddUp(LiveStream counts)
    {
        var total = (await counts.NextData()).GetProperty("total").GetInt64();
        while (await counts.Next() is { EventType: "message" } item)
        {
            var told = JsonSerializer.Deserialize<JsonElement>(item.Data);
            Assert.Equal(total += told.GetProperty("added").GetInt64(), told.GetProperty("total").GetInt64());
        }
        return total;
    }

    [Fact]
    public async Task A_reader_goes_on_at_another_silo_without_a_break()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        for (var turn = 0; turn < 6; turn++)
        {
            await using var live = await LiveStream.Open(silos[turn % 2], LiveStream.PathOf("f"), $"{turn * 5}");
            for (var i = 1; i <= 10; i++) // after the first turn, five are already there
                if (turn > 0 && i <= 5) continue;
                else Assert.Equal(200, (await silos[i % 2].PostForm("action=a&product=p&fingerprint=f")).Status);
            Assert.Equal(Enumerable.Range(turn * 5 + 1, 10).Select(i => (long)i), await live.Sequences(10));
        }
    }
}
