using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;
using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>What the event log promises, on each storage: appending, order, pages.</summary>
public sealed class AppendingToTheLog(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task What_is_recorded_comes_back_in_its_order(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var (a, b) = (new FingerprintWriter("a"), new FingerprintWriter("b ☕ 😀 '; --"));
        var events = EventSamples.Views(12);
        await Task.WhenAll(a.Record(log.Commit, events[..3]), b.Record(log.Commit, events[9..]));
        await a.Record(log.Commit, events[3..9]);

        Assert.Equal(events[..9], (await database.Storage.ReadAfter("a", 0, 100)).Select(r => r.Event));
        Assert.Equal([1, 2, 3, 4, 5, 6, 7, 8, 9], await Sequences(database.Storage, "a", 0, 100));
        Assert.Equal([3, 4, 5, 6], await Sequences(database.Storage, "a", 2, 4)); // a page
        Assert.Empty(await Sequences(database.Storage, "a", 9, 100));
        Assert.Empty(await Sequences(database.Storage, "unknown", 0, 100));

        var newest = (await database.Storage.ReadNewest(["a", "unknown", "b ☕ 😀 '; --"], 2)).Events;
        Assert.Equal([9, 8], newest["a"].Select(r => r.Sequence));
        Assert.Equal([events[11], events[10]], newest["b ☕ 😀 '; --"].Select(r => r.Event));
        Assert.Empty(newest["unknown"]);

        var heads = await database.Storage.ReadHeads(["a", "unknown", "b ☕ 😀 '; --"]);
        Assert.Equal((2, 9, 3), (heads.Count, heads["a"], heads["b ☕ 😀 '; --"]));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task An_event_comes_back_as_it_was_sent(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var created = new DateTime(2026, 12, 31, 23, 59, 59, DateTimeKind.Utc).AddMicroseconds(999_999);
        Event[] events =
        [
            new(Guid.Parse("00000000-0000-0000-0000-00000000000f"), "view", "k8s", created, created.AddMicroseconds(-1),
                null),
            new(Guid.AllBitsSet, "naïve 😀", "%_'\"\\", created, DateTime.UnixEpoch.AddMicroseconds(1), "{}"),
            // Repeats are compared as text, so not even a space may change.
            new(Guid.NewGuid(), "view", "k8s", created, created, """{"b":1.0, "a" :[1e3,"\u0000"],"b":2}"""),
        ];
        await new FingerprintWriter("a").Record(log.Commit, events);
        var read = await database.Storage.ReadAfter("a", 0, 10);
        Assert.Equal(events, read.Select(r => r.Event));
        Assert.All(read, r => Assert.Equal(DateTimeKind.Utc, r.Event.Occurred.Kind));
        Assert.Equal(read, (await database.Storage.FindRepeats(read)).OrderBy(r => r.Sequence));
    }

    [Theory, EachStorage]
    public async Task A_page_ends_early_with_the_event_whose_properties_exceed_its_bytes(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        var properties = $$"""{"a":"{{new string('é', 496)}}"}"""; // a thousand bytes
        Event[] events =
            [.. EventSamples.Views(12).Select((e, i) => e with { Properties = i == 4 ? null : properties })];
        await new FingerprintWriter("a").Record(log.Commit, events);

        async Task<IEnumerable<long>> Page(long after, int limit, int bytesMax) =>
            (await database.Storage.ReadAfter("a", after, limit, bytesMax)).Select(r => r.Sequence);
        Assert.Equal([1], await Page(0, 100, 0)); // always at least one
        Assert.Equal([1, 2], await Page(0, 100, 1000)); // exactly the maximum
        Assert.Equal([1], await Page(0, 100, 999));
        Assert.Equal([3, 4, 5, 6], await Page(2, 100, 2999)); // an event without properties adds nothing
        Assert.Equal([3, 4], await Page(2, 2, 2999));
        Assert.Equal([11, 12], await Page(10, 100, 2999));
        Assert.Equal(Enumerable.Range(1, 12).Select(i => (long)i), await Page(0, 100, int.MaxValue));
        Assert.Empty(await Page(12, 100, 0));
    }

    [Theory, EachStorage]
    public async Task Fingerprints_that_differ_in_little_are_kept_apart(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        await using var log = RunningLog.Start(database);
        string[] fingerprints = ["ff", "00ff", "FF", "ff ", " ff", "é", "e\u0301", "ﬀ"];
        foreach (var fingerprint in fingerprints)
            await new FingerprintWriter(fingerprint).Record(log.Commit, EventSamples.View("same"));
        var newest = (await database.Storage.ReadNewest(fingerprints, 10)).Events;
        Assert.All(fingerprints, fingerprint => Assert.Single(newest[fingerprint]));
    }

    [Theory, EachStorage]
    public async Task A_batch_of_5000_events_is_one_transaction(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var log = RunningLog.Queueing(database);
        var runs = Enumerable.Range(0, 500).Select(i => new FingerprintWriter($"f{i}").Decide(10)).ToList();
        var appends = runs.ConvertAll(run => log.Append(run));
        log.Start();
        Assert.All(await Task.WhenAll(appends), result => Assert.Equal(AppendOutcome.Recorded, result.Outcome));
        await log.Close();
        Assert.Equal([5_000], await BatchSizes(at));
        Assert.Equal(500,
            (await database.Storage.ReadHeads([.. runs.Select(run => run[0].Fingerprint)])).Count(head =>
                head.Value == 10));
        await RunningLog.AssertProven(database);
    }

    [Theory, EachStorage]
    public async Task A_batch_that_conflicts_leaves_nothing_behind(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var database = await at.OpenPrepared();
        var writer = new FingerprintWriter("a");
        var first = writer.Decide(1);
        Assert.NotNull(await Try(first));
        Assert.Null(await Try([.. new FingerprintWriter("b").Decide(2), .. writer.Decide(1)])); // the sequence is taken
        writer.Fold(first);
        // the id is taken
        Assert.Null(await Try([.. new FingerprintWriter("b").Decide(2), .. writer.Decide(first[0].Event)]));
        Assert.Single(await at.Query("select fingerprint from events", row => row.GetString(0)));
        Assert.Equal([1], await BatchSizes(at));
        Assert.NotNull(await Try(writer.Decide(1)));

        Task<long?> Try(DecidedEvent[] events)
        {
            var deltas = new RollupDeltas();
            foreach (var one in events) deltas.Add(one);
            var starts =
                events.GroupBy(one => one.Fingerprint)
                    .Select(run => new RunStart(run.Key, run.First().Sequence - 1, 0));
            return database.Storage.TryRecord(events, [.. starts], deltas);
        }
    }

    /// <summary>The batches' sizes: each batch has one delta if all events share minute, product and action.</summary>
    internal static Task<List<long>> BatchSizes(TestDatabase at) =>
        at.Query("select events from rollup_deltas order by id", row => row.GetInt64(0));

    private static async Task<IEnumerable<long>> Sequences(SqlStorage log, string fingerprint, long after, int limit) =>
        (await log.ReadAfter(fingerprint, after, limit)).Select(r => r.Sequence);
}
