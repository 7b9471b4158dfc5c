using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The stream of all events while silos die under load.</summary>
[Collection<Clusters>]
public sealed class FeedUnderFaults(PostgresServer server)
{
    private const int EventsBetween = 400;

    [Fact]
    public async Task Every_event_comes_once_and_in_order_whichever_silo_dies()
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2,
            new() { ["Limits__LiveAllEventsMax"] = "10000" });
        await using var survivor = await FeedClient.Start([silos[0]], 0);
        await using var mover = await FeedClient.Start([silos[0], silos[1]], 1);
        var load = Load.Start(silos.Ports, seed, new() { BatchShare = 0.1 });
        await load.Acknowledges(EventsBetween);
        await silos[1].Kill();
        await load.Acknowledges(EventsBetween);
        await load.Finish();

        await survivor.AssertKnows(database);
        await mover.AssertKnows(database);
        Assert.Equal(1, survivor.Streams);
        Assert.True(mover.Streams > 1, "The reader has outlived its silo.");
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task A_reader_that_knows_more_than_its_next_silo_is_told_nothing_twice()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 1);
        var slow = await silos.Join(new() { ["Limits__LiveTickMilliseconds"] = "2000" });
        await using var other = await LiveStream.Open(slow, FeedClient.Path);
        string? lastEventId = null;
        for (var turn = 0; turn < 4; turn++)
        {
            await using var live = await LiveStream.Open(turn % 2 == 0 ? silos[0] : slow, FeedClient.Path, lastEventId);
            Assert.Equal(200, (await slow.PostForm("action=a&product=p&fingerprint=f")).Status);
            Assert.Equal(turn + 1, (await live.NextData()).GetProperty("sequence").GetInt64());
            lastEventId = live.LastEventId;
        }
    }

    [Theory, EachStorage]
    public async Task A_silo_that_comes_back_goes_on_where_its_readers_were(StorageKind storage)
    {
        var seed = Seed.Next();
        await using var database = await TestDatabase.Create(storage, server);
        Dictionary<string, string> settings = new() { ["Limits__LiveAllEventsMax"] = "10000" };
        var before = await AppProcess.Start(database, settings);
        await using var live = await LiveStream.Open(before, FeedClient.Path);
        var load = Load.Start([before.Port], seed);
        await load.Acknowledges(EventsBetween);
        var told = new List<(string, long)>();
        while (told.Count < EventsBetween) told.Add(await Read(live));
        await before.Kill();
        await load.Abandon();
        await before.DisposeAsync();

        await using var after = await AppProcess.Start(database, settings);
        await using var again = await LiveStream.Open(after, FeedClient.Path, live.LastEventId);
        Assert.Equal(200, (await after.PostForm("action=last&product=p&fingerprint=last")).Status);
        do told.Add(await Read(again)); while (told[^1].Item1 != "last");
        var log = await database.Query("select fingerprint, sequence from events",
            row => (row.GetString(0), row.GetInt64(1)));
        Assert.Equal(log.Order(), told.Order());

        static async Task<(string, long)> Read(LiveStream from)
        {
            var data = await from.NextData();
            return (data.GetProperty("fingerprint").GetString()!, data.GetProperty("sequence").GetInt64());
        }
    }
}
