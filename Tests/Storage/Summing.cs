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
            for (var i = 0; i < 60; i++) // a commit each, and so a delta; over three hours, the outer ones ragged
                await new FingerprintWriter($"f{i}").Record(log.Commit, EventSamples.View(occurred: EventSamples.Noon.AddMinutes(3 * i - 20)));
        var question = new TotalsQuestion(EventSamples.Noon.AddMinutes(-20), EventSamples.Noon.AddMinutes(160), TotalsBucket.All);

        var merging = Task.Run(async () => { while (await database.EventLog.MergeRollups(1) > 0) { } });
        var asked = 0;
        do
        {
            foreach (var one in (TotalsQuestion[])[question, question with { Product = "k8s" }])
                Assert.Equal(new RollupCounts(60, 60, 60, 60, 60), Assert.Single(await database.Totals.ReadTotals(one, 10, CancellationToken.None)).Counts);
            asked++;
        }
        while (!merging.IsCompleted);
        await merging;
        TestContext.Current.TestOutputHelper?.WriteLine($"{asked} questions beside 60 merges");
        Assert.Equal([60L], await at.Query("select cast(sum(events) as bigint) from rollup_hours", row => row.GetInt64(0)));
    }

    [Fact]
    public async Task The_merge_of_the_version_before_leaves_its_deltas_to_this_one()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database)) await new FingerprintWriter("a").Record(log.Commit, EventSamples.Views(3));
        var refused = await Assert.ThrowsAsync<Npgsql.PostgresException>(() => at.Execute("""
            with merged as (delete from rollup_deltas returning *)
            insert into rollups as r (minute, product, action, events,
                new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints)
            select minute, product, action, events, new_fingerprints, new_product_fingerprints, daily_fingerprints, daily_product_fingerprints
            from merged
            on conflict (minute, product, action) do update set events = r.events + excluded.events
            """));
        Assert.Equal("in_hours", refused.ColumnName);
        Assert.Equal(1, await database.EventLog.MergeRollups(10));
        await RunningLog.AssertProven(database);
    }
}
