using Tally.Grains.EventLog;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

public sealed class Summing(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_merge_under_way_hides_no_event_and_doubles_none(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
            // Each event is one commit and so one delta. They span two whole hours and parts of two others.
            for (var i = 0; i < 60; i++)
                await new FingerprintWriter($"f{i}").Record(log.Commit,
                    EventSamples.View(occurred: EventSamples.Noon.AddMinutes(3 * i - 20)));
        var question =
            new TotalsQuestion(EventSamples.Noon.AddMinutes(-20), EventSamples.Noon.AddMinutes(160), TotalsBucket.All);

        var merging = Task.Run(async () => { while (await database.Storage.MergeRollups(1) > 0) { } });
        var asked = 0;
        do
        {
            foreach (var one in (TotalsQuestion[])[question, question with { Product = "k8s" }])
                Assert.Equal(new RollupCounts(60, 60, 60, 60, 60),
                    Assert.Single(await database.Storage.ReadTotals(one, 10, CancellationToken.None)).Counts);
            asked++;
        }
        while (!merging.IsCompleted);
        await merging;
        TestContext.Current.TestOutputHelper?.WriteLine($"{asked} questions beside 60 merges");
        Assert.Equal([60L],
            await at.Query("select cast(sum(events) as bigint) from rollup_hours", row => row.GetInt64(0)));
    }
}
