using System.Collections.Concurrent;
using System.Diagnostics;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// Fingerprints are erased while three silos write to them. Events from before an erasure are gone, those from after it
/// are all there.
/// </summary>
[Collection<Clusters>]
public sealed class ErasedUnderLoad(PostgresServer server)
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int Erasures = 5;
    private const int Between = 15; // acknowledged events per fingerprint

    // An event that took longer went to the stopped silo first, which still has it when it wakes. It is then recorded
    // after the erasure, as a new event (docs/reliability.md).
    private static readonly TimeSpan SentOnce = TimeSpan.FromSeconds(1);

    // Stopwatch timestamps from before the event was sent and from after its answer came.
    private sealed record Sent(string Id, long SentAt, long AnsweredAt, long? Sequence);

    private sealed class Subject(string name)
    {
        public string Name => name;
        public ConcurrentQueue<Sent> All { get; } = [];
        public int Acknowledged => All.Count(sent => sent.Sequence is not null);
        public (long Begin, long End) LastErasure { get; set; }
    }

    private readonly Subject[] subjects = [.. Enumerable.Range(0, 9).Select(i => new Subject($"subject-{i}"))];

    [Fact]
    public async Task Nothing_of_before_comes_back_and_nothing_of_after_is_lost_also_by_a_silo_that_slept_through_it()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos =
            await Silos.Start(database, 3,
                new() { ["Limits__SnapshotEventsMax"] = "4", ["Limits__RememberedEventsMax"] = "8" });
        using var ended = new CancellationTokenSource();
        var writing =
            Task.WhenAll(
                subjects.SelectMany(subject =>
                    Enumerable.Range(0, silos.Count).Select(place => Write(subject, silos[place], ended.Token))));

        await Task.WhenAll(subjects.Select(async (subject, index) =>
        {
            for (var i = 0; i < Erasures; i++)
            {
                await MoreAcknowledged(subject);
                await Erase(subject, silos[(index + i) % silos.Count]);
            }
        }));
        // The stopped silo's fingerprints move to the others and are erased there. Then it wakes in the middle of its
        // own runs.
        silos[2].Signal(Stop);
        await Task.WhenAll(subjects.Select(subject => MoreAcknowledged(subject)));
        await Eventually.True(async () => (await silos.DeclaredDead()).Count == 1, "Nobody misses the stopped one.",
            seconds: 60);
        await Task.WhenAll(subjects.Select(subject => Erase(subject, silos[0])));
        silos[2].Signal(Continue);
        Assert.NotEqual(0, await silos[2].Exit());
        await Task.WhenAll(subjects.Select(subject => MoreAcknowledged(subject)));
        await ended.CancelAsync();
        await writing;

        foreach (var subject in subjects) await AssertHolds(subject, database);
        await HistoryCheck.CountersHold(database, silos[0]);
        await AppProcess.AssertVerifies(database);
    }

    private static async Task Write(Subject subject, AppProcess silo, CancellationToken ended)
    {
        while (!ended.IsCancellationRequested)
        {
            var (id, sentAt) = (Guid.NewGuid().ToString(), Stopwatch.GetTimestamp());
            long? sequence = null;
            var gone = false;
            try
            {
                var answer = await silo.PostForm($"action=view&product=k8s&fingerprint={subject.Name}&id={id}");
                Assert.Contains(answer.Status, (int[])[200, 503]);
                if (answer.Status == 200) sequence = answer.Sequence;
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                gone = silo.HasExited;
            }
            // also the last event sent to a silo that is gone
            subject.All.Enqueue(new(id, sentAt, Stopwatch.GetTimestamp(), sequence));
            if (gone) return;
        }
    }

    private static async Task MoreAcknowledged(Subject subject)
    {
        var before = subject.Acknowledged;
        await Eventually.True(() => Task.FromResult(subject.Acknowledged >= before + Between),
            $"{subject.Name} takes no events", seconds: 60);
    }

    private static async Task Erase(Subject subject, AppProcess through)
    {
        long begin = 0;
        await Eventually.True(async () =>
        {
            begin = Stopwatch.GetTimestamp();
            return (await through.Send(new(HttpMethod.Delete, Requests.Path(subject.Name)))).Status == 200;
        }, $"{subject.Name} is not erased", seconds: 60);
        subject.LastErasure = (begin, Stopwatch.GetTimestamp());
    }

    private static async Task AssertHolds(Subject subject, TestDatabase database)
    {
        var rows = (await database.Query(
            $"select id, sequence from events where fingerprint = '{subject.Name}' order by sequence",
            row => (Id: row.GetGuid(0).ToString(), Sequence: row.GetInt64(1))));
        Assert.Equal(Enumerable.Range(1, rows.Count).Select(n => (long)n), rows.Select(row => row.Sequence));
        var recorded = rows.ToDictionary(row => row.Id, row => row.Sequence);
        var (begin, end) = subject.LastErasure;
        foreach (var sent in subject.All)
        {
            if (sent.SentAt > end && sent.Sequence is { } sequence)
                Assert.True(recorded.GetValueOrDefault(sent.Id) == sequence, $"{subject.Name}: lost {sent}");
            if (sent.AnsweredAt < begin && sent.Sequence is not null
                && Stopwatch.GetElapsedTime(sent.SentAt, sent.AnsweredAt) < SentOnce)
                Assert.False(recorded.ContainsKey(sent.Id), $"{subject.Name}: came back: {sent}");
        }
        Assert.True(subject.All.Any(sent => sent.SentAt > end && sent.Sequence is not null),
            $"{subject.Name}: nothing was sent after its last erasure");
        Assert.Subset(subject.All.Select(sent => sent.Id).ToHashSet(), recorded.Keys.ToHashSet());
    }
}
