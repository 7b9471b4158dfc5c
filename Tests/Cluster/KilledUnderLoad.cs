using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>kill -9 at any moment loses nothing acknowledged and counts nothing twice.</summary>
public sealed class KilledUnderLoad(PostgresServer server)
{
    private const int Kills = 3;

    [Theory, EachStorage]
    public async Task Nothing_acknowledged_is_lost_and_nothing_is_counted_twice(StorageKind storage)
    {
        var seed = Seed.Next();
        var random = new Random(seed);
        await using var database = await TestDatabase.Create(storage, server);
        var app = await AppProcess.Start(database);
        try
        {
            var load = Load.Start([app.Port], seed);
            for (var kill = 0; kill < Kills; kill++)
            {
                var acknowledged = load.History.Acknowledged;
                await Eventually.True(() => Task.FromResult(load.History.Acknowledged > acknowledged),
                    "Nothing is acknowledged any more.");
                await Task.Delay(random.Next(300, 2_000)); // a random moment for the kill
                await app.Kill();
                await app.DisposeAsync();
                app = await AppProcess.Start(database, port: app.Port);
            }
            await load.Finish();
            Assert.True(load.History.Count(AttemptOutcome.NoReply) > 0, "No kill met a request under way.");
            await HistoryCheck.Holds(load.History, database, app);
        }
        finally
        {
            await app.DisposeAsync();
        }
    }
}
