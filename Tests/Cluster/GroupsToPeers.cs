using System.Diagnostics;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// What clients send to one silo for fingerprints of another goes there in groups. A group's slowest event holds up
/// nothing else, and a silo that takes nothing holds up nobody else.
/// </summary>
[Collection<Clusters>]
public sealed class GroupsToPeers(PostgresServer server)
{
    private const int Stop = 19;
    private const int Continue = 18;
    private const int QueueMax = 4;

    private static readonly string[] Names = [.. Enumerable.Range(0, 60).Select(i => $"f{i}")];

    [Fact]
    public async Task Posts_batches_and_views_that_come_together_share_messages()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        foreach (var name in Names) Assert.Equal(200, (await Post(silos[0], name, "first")).Status);
        var remote = 0.0;
        await Eventually.True(async () =>
        {
            remote = await Committed(silos[1]);
            return await Committed(silos[0]) + remote == Names.Length && (await Sent(silos[0])).Events == remote;
        }, "Not all is committed, or sent.");
        Assert.Equal(remote, (await Sent(silos[0])).Groups); // one after another, each is a group of its own

        await Task.WhenAll(Names.Select(_ => silos[0].Get("/health/live"))); // opens the connections
        List<Task<Answer>> posts;
        await using (await database.HoldWrites())
        {
            posts = [.. Names.Select(name => Post(silos[0], name, "second"))];
            await Eventually.True(async () => (await Sent(silos[0])).Events == 2 * remote, "They are not sent.");
        }
        Assert.All(await Task.WhenAll(posts), answer => Assert.Equal((200, 2L), (answer.Status, answer.Sequence)));
        var (groups, _) = await Sent(silos[0]);
        Assert.True(groups < 1.5 * remote, $"{remote} events went in {groups - remote} groups.");

        var batch = JsonSerializer.Serialize(Names.SelectMany(name => Enumerable.Range(0, 5).Select(i =>
            new { action = $"batched-{i}", product = "k8s", fingerprint = name, id = $"batched-{i}" })));
        var receipt = (await silos[0].PostBatch(batch)).Body;
        Assert.Equal(Names.Length * 5, receipt.GetProperty("recorded").GetInt32());
        Assert.Equal(Names.Length * 5, (await silos[0].PostBatch(batch)).Body.GetProperty("repeated").GetInt32());
        await Eventually.True(async () => (await Sent(silos[0])).Events == 12 * remote, "They are not sent.");
        Assert.True((await Sent(silos[0])).Groups < 2.5 * remote, "Two batches went in as many groups as events.");

        Assert.All(await Task.WhenAll(Names.Select(name => silos[0].View(name))),
            view => Assert.Equal(7, view.Body.GetProperty("total").GetInt64()));
        foreach (var name in Names) // in the batch's order
            Assert.Equal(["pair-0", "pair-0", .. Enumerable.Range(0, 5).Select(i => $"batched-{i}")],
                (await silos[1].Get($"/api/fingerprints/{name}/events")).Body.GetProperty("events").EnumerateArray()
                    .Select(one => one.GetProperty("action").GetString()));
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task An_event_that_waits_for_the_database_holds_up_no_answer_that_needs_none()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 1);
        var there = await Joined(silos, Residents.Marked, Names);
        foreach (var name in there) Assert.Equal(200, (await Post(silos[0], name, "known")).Status);
        List<Task<Answer>> waiting;
        await using (await database.HoldWrites())
        {
            var sent = (await Sent(silos[0])).Events;
            waiting = [.. there.Select(name => Post(silos[0], name, "waits"))];
            // Not the other silo's queue: one commit may have taken them all.
            await Eventually.True(async () => (await Sent(silos[0])).Events >= sent + there.Count,
                "A group of events that wait is not answered.");
            foreach (var name in there) Assert.Equal(200, (await silos[0].View(name)).Status);
            foreach (var name in there) Assert.True((await Post(silos[0], name, "known")).Duplicate);
            Assert.All(waiting, post => Assert.False(post.IsCompleted));
        }
        Assert.All(await Task.WhenAll(waiting), answer => Assert.Equal(200, answer.Status));
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task A_silo_that_takes_nothing_is_sent_no_more_than_its_queue_holds_and_the_others_go_on()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos =
            await Silos.Start(database, 1, new() { ["Limits__PeerQueueEventsMax"] = $"{QueueMax}" });
        var there = await Joined(silos, Residents.Marked, Names);
        var here = Names.Except(there).ToList();
        Assert.NotEmpty(here);
        silos[1].Signal(Stop);
        var posts = Enumerable.Range(0, 10 * QueueMax)
            .Select(i => Post(silos[0], there[i % there.Count], $"id-{i}")).ToList();
        // A group is on its way, and the queue is full: the rest is refused at once.
        var refused = await Task.WhenAny(posts);
        (await refused).AssertRefused(503, "overloaded");
        foreach (var name in here) Assert.Equal(200, (await Post(silos[0], name, "goes on")).Status);
        silos[1].Signal(Continue);

        var answers = await Task.WhenAll(posts);
        Assert.InRange(answers.Count(answer => answer.Status == 200), 1, 2 * QueueMax);
        Assert.All(answers.Where(answer => answer.Status != 200),
            answer => answer.AssertRefused(503, "overloaded"));
        await AppProcess.AssertVerifies(database);
    }

    [Fact]
    public async Task A_trace_goes_on_at_the_silo_that_records_the_event()
    {
        await using var collector = new OtlpListener();
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 1, collector.Environment);
        await using var owners = new OtlpListener();
        var there = await Joined(silos, new(owners.Environment.Concat(Residents.Marked)), Names);

        var trace = ActivityTraceId.CreateRandom();
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/events")
        {
            Content = new FormUrlEncodedContent(
                [new("action", "pair-0"), new("product", "p"), new("fingerprint", there[0])]),
            Headers = { { "traceparent", $"00-{trace}-{ActivitySpanId.CreateRandom()}-01" } },
        };
        Assert.Equal(200, (int)(await silos[0].Http.SendAsync(request)).StatusCode);
        var bytes = System.Text.Encoding.Latin1.GetString(Convert.FromHexString(trace.ToHexString()));
        foreach (var span in (string[])["IFingerprintGrain/Record", "commit"])
            await Eventually.True(() => Task.FromResult(owners.Received("/v1/traces", span, bytes)),
                $"The owner's {span} is not in the trace.");
    }

    // A second silo; returns those of the names that it owns.
    private static async Task<IReadOnlyList<string>> Joined(
        Silos silos, Dictionary<string, string> environment, IEnumerable<string> names)
    {
        await silos.Join(environment);
        var found = await Residents.Find(silos[0], names);
        Assert.NotEmpty(found);
        return found;
    }

    private static Task<Answer> Post(AppProcess silo, string fingerprint, string id) =>
        silo.PostForm($"action=pair-0&product=p&fingerprint={fingerprint}&id={id}");

    private static async Task<(double Groups, double Events)> Sent(AppProcess silo)
    {
        var metrics = await PrometheusText.Scrape(silo);
        return (metrics.Sum("tally_peer_group_events_count"), metrics.Sum("tally_peer_group_events_sum"));
    }

    private static async Task<double> Committed(AppProcess silo) =>
        (await PrometheusText.Scrape(silo)).Sum("tally_commit_events_sum");
}
