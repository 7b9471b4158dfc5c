using System.Text.RegularExpressions;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>The feed of all events, which merges tell what is new while somebody watches.</summary>
public sealed partial class TheFeed(PostgresServer server)
{
    private const int All = int.MaxValue;

    [Theory, EachStorage]
    public async Task It_has_each_event_once_however_merges_divide_them(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var start = FeedPosition.After((await database.Storage.RenewFeed(All))!.Value);
        var appending = Task.WhenAll(Enumerable.Range(0, 4).Select(AppendBatches));
        await Task.WhenAll(Enumerable.Range(0, 2).Select(async _ =>
        {
            while (!appending.IsCompleted) await database.Storage.MergeVisits(3);
        }));
        await appending;
        while (await database.Storage.MergeVisits(3) > 0) { }

        foreach (var (limit, bytes) in ((int, int)[])[(1, All), (7, All), (1_000, 0), (1_000, All)])
        {
            var told = new List<FeedNews>();
            for (var from = start; await database.Storage.ReadFeed(from, FeedPosition.End, limit, bytes)
                is { Count: > 0 } page; from = told[^1].Position)
            {
                Assert.InRange(page.Count, 1, limit + 1);
                told.AddRange(page);
            }
            Assert.Equal(480, told.Count);
            foreach (var ofOne in told.GroupBy(news => news.Event!.Fingerprint))
                Assert.Equal(Enumerable.Range(1, 120).Select(i => (long)i),
                    ofOne.Select(news => news.Event!.Sequence));
            // Up to a place comes what is up to it, and no more.
            foreach (var place in (int[])[0, 100, 200])
                Assert.Equal(told.Take(place + 1),
                    (await database.Storage.ReadFeed(start, told[place].Position, 1_000, All))!);
        }

        async Task AppendBatches(int worker)
        {
            await using var log = RunningLog.Start(database);
            var writer = new FingerprintWriter($"f{worker}");
            for (var i = 0; i < 30; i++)
                await writer.Record(log.Commit, Enumerable.Range(0, 4).Select(j => EventSamples.View(
                    product: $"p{j % 2}", occurred: EventSamples.Noon.AddHours(i * worker))));
        }
    }

    [Theory, EachStorage]
    public async Task It_begins_anew_where_nobody_watched(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var writer = new FingerprintWriter("f");
        await Record();
        Assert.Equal([0L], await at.Query("select count(*) from feed", row => row.GetInt64(0)));

        var start = (await database.Storage.RenewFeed(All))!.Value;
        Assert.Equal(start, await database.Storage.RenewFeed(All)); // goes on
        await Record();
        Assert.Equal([2L], await Told(start));
        await at.Execute($"update feed_watch set until = {Now(storage)} - {Seconds(storage, 1)}");
        await Record();
        var next = (await database.Storage.RenewFeed(All))!.Value;
        Assert.Null(await Told(start));
        await Record();
        Assert.Equal([4L], await Told(next));

        // What is older than two minutes goes, but for the newest.
        var newest = (await database.Storage.RenewFeed(All))!.Value;
        await at.Execute($"update feed set told = {Now(storage)} - {Seconds(storage, 121)}");
        Assert.Equal(newest, await database.Storage.RenewFeed(All));
        Assert.Null(await Told(next));
        Assert.Empty((await Told(newest))!);

        async Task Record()
        {
            await writer.Record(log.Commit, EventSamples.View());
            while (await database.Storage.MergeVisits(10) > 0) { }
        }

        async Task<IEnumerable<long>?> Told(long row) =>
            (await database.Storage.ReadFeed(FeedPosition.After(row), FeedPosition.End, 100, All))?
                .Select(news => news.Event!.Sequence);
    }

    private static string Now(StorageKind storage) => storage == StorageKind.Sqlite ? "unixepoch()" : "now()";

    private static string Seconds(StorageKind storage, int seconds) =>
        storage == StorageKind.Sqlite ? $"{seconds}" : $"interval '{seconds} s'";

    // What a merge costs while nobody watches is what it costs without the feed.
    [Fact]
    public async Task Unwatched_it_reads_nothing()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var database = await at.OpenPrepared();
        await using (var log = RunningLog.Start(database))
            await new FingerprintWriter("f").Record(log.Commit, EventSamples.Views(3));
        var plan = string.Join('\n', await at.Query("explain (analyze, costs off, timing off) "
            + new SqlScripts("Postgres")["merge_visits"].Replace("@limit", "0"), row => row.GetString(0)));
        // the scans of the events, and of what is to be marked
        Assert.Matches(ScanNeverRun("events_pkey.* on events"), plan);
        Assert.Matches(ScanNeverRun("visit_deltas"), plan);
        Assert.DoesNotMatch(new Regex("on events e.*actual"), plan);
        Assert.Equal([0L], await at.Query("select count(*) from feed", row => row.GetInt64(0)));
        Assert.Equal([false], await at.Query("select is_told from visit_deltas", row => row.GetBoolean(0)));
    }

    private static Regex ScanNeverRun(string table) => new($"Scan.* (on|using) {table}.*\\(never executed\\)");
}
