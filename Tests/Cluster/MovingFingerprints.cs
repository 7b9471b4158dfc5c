using System.Collections.Concurrent;
using System.Diagnostics;
using Tally.Grains.Placement;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// A fourth silo joins, leaves and is killed, and takes its share of the fingerprints each time. Their clients notice
/// nothing but a slower answer: all are acknowledged, and each view has what was acknowledged before.
/// </summary>
[Collection<Clusters>]
public sealed class MovingFingerprints(PostgresServer server)
{
    private const int Fingerprints = 60;
    private const int Rounds = 1;

    private readonly ConcurrentQueue<(string Fingerprint, long BeganAt, long EndedAt)> requests = [];

    [Fact]
    public async Task Each_view_has_what_was_acknowledged_whatever_joins_leaves_or_dies()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 3);
        AppProcess[] through = [silos[0], silos[1], silos[2]];
        using var end = new CancellationTokenSource();
        string[] names = [.. Enumerable.Range(0, Fingerprints).Select(i => $"f{i}")];
        var clients = Task.WhenAll(names.Select(name => Task.Run(() => PostAndView(name, through, end))));

        Dictionary<string, List<TimeSpan>> worst = [];
        for (var round = 0; round < Rounds; round++)
        {
            await Watch("joins", async () => await silos.Join());
            await Watch("leaves", async () => Assert.Equal(0, await silos[silos.Count - 1].Terminate()));
            await Watch("joins", async () => await silos.Join());
            await Watch("is killed", async () => await silos[silos.Count - 1].Kill());
        }
        await end.CancelAsync();
        var posted = await clients;

        foreach (var (name, count) in names.Zip(posted)) Assert.Equal(count, await Total(silos[0], name));
        await AppProcess.AssertVerifies(database);
        foreach (var (what, times) in worst)
            TestContext.Current.TestOutputHelper?.WriteLine(
                $"| {what} | {times.Order().ElementAt(times.Count / 2).TotalSeconds:F2} s | {times.Max().TotalSeconds:F2} s |");

        // The slowest post and view of each fingerprint that moved.
        async Task Watch(string what, Func<Task> change)
        {
            var (began, before) = (Stopwatch.GetTimestamp(), await Whereabouts.Active(database));
            await change();
            List<SiloAddress> after = [];
            await Eventually.True(async () => (after = await Whereabouts.Active(database)).Count != before.Count,
                "Nobody notices.");
            var known = Stopwatch.GetTimestamp();
            await Eventually.True(() => Task.FromResult(clients.IsCompleted || names.Length
                == requests.Where(one => one.BeganAt > known).Select(one => one.Fingerprint).Distinct().Count()),
                "Not all are answered.", seconds: 60);
            if (clients.IsCompleted) await clients; // one of them has something to say
            var (owners, successors) = (new RendezvousHash(before), new RendezvousHash(after));
            foreach (var times in requests.Where(one => one.EndedAt > began).GroupBy(one => one.Fingerprint))
                if (!owners.Owner(Whereabouts.Point(times.Key))!
                    .Equals(successors.Owner(Whereabouts.Point(times.Key))))
                    (worst.TryGetValue(what, out var all) ? all : worst[what] = []).Add(
                        times.Max(one => Stopwatch.GetElapsedTime(one.BeganAt, one.EndedAt)));
        }
    }

    // Through any of those that stay; the next one asked is another.
    private async Task<int> PostAndView(string name, AppProcess[] through, CancellationTokenSource end)
    {
        var posted = 0;
        var isWell = false;
        try
        {
            while (!end.IsCancellationRequested)
            {
                var begun = Stopwatch.GetTimestamp();
                var at = Random.Shared.Next(through.Length);
                var answer = await through[at].PostForm($"action=a&product=p&fingerprint={name}&id={posted + 1}");
                Assert.True(answer.Status == 200, $"{answer.Status} {answer.Reason}");
                Assert.Equal(++posted, answer.Sequence);
                Assert.Equal(posted, await Total(through[(at + 1) % through.Length], name));
                requests.Enqueue((name, begun, Stopwatch.GetTimestamp()));
                await Task.Delay(20); // a visitor's pace
            }
            isWell = true;
            return posted;
        }
        finally
        {
            if (!isWell) await end.CancelAsync();
        }
    }

    private static async Task<long> Total(AppProcess silo, string fingerprint)
    {
        var answer = await silo.View(fingerprint);
        Assert.Equal(200, answer.Status);
        return answer.Body.GetProperty("total").GetInt64();
    }
}
