using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What the server cannot take is refused at once, and exactly what was acknowledged is recorded.</summary>
public sealed class Overload(PostgresServer server)
{
    private const int Posts = 40;

    [Theory, EachStorage]
    public Task Requests_beyond_the_limit_are_refused(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__RequestsMax", 4, takenMax: 4);

    // In addition to a full queue, as many events as it holds may be in the commit.
    [Theory, EachStorage]
    public Task Events_beyond_the_queue_are_refused(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__QueueEventsMax", 3, takenMax: 6);

    // Each counts as eleven, so that a limit on events limits their bytes too.
    [Theory, EachStorage]
    public Task Large_events_count_as_several_among_requests(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__RequestsMax", 40, takenMax: 3, Large);

    [Theory, EachStorage]
    public Task Large_events_count_as_several_in_the_queue(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__QueueEventsMax", 30, takenMax: 4, Large);

    [Theory, EachStorage]
    public async Task An_event_that_is_larger_than_a_limit_is_recorded_alone(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app =
            await AppProcess.Start(database,
                new()
                {
                    ["Limits__RequestsMax"] = "2", ["Limits__QueueEventsMax"] = "2",
                    ["Limits__RunEventsMax"] = "2"
                });
        Assert.Equal(200, (await Post(app, "large", Large)).Answer.Status);
    }

    [Fact]
    public async Task Large_bodies_wait_for_room_and_small_ones_pass()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database,
                new() { ["Limits__LargeBodiesBytesMax"] = "65536", ["Limits__SmallBodyBytesMax"] = "1024" });
        var body = $"action=view&product=k8s&fingerprint=slow&note={new string('x', 50_000)}";
        await using var slow = await RawConnection.To(app);
        await slow.Send(
            $"POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body[..5_000]}");
        var next = app.PostForm(body.Replace("slow", "next"));
        for (var round = 0; ; round++)
        {
            for (var i = 0; i < 20; i++) Assert.Equal(200, (await Post(app, $"small-{i}")).Answer.Status);
            if (!next.IsCompletedSuccessfully || (await next).Status != 200) break; // it waits for room
            Assert.True(round < 20, "A large body is read beside another.");
            next = app.PostForm(body.Replace("slow", "next")); // the slow body was not being read yet
        }
        var early = next.IsCompleted; // on a slow machine it may be late, or the slow client have been cut off
        await slow.TrySend(body[5_000..]);
        var isRead = (await slow.Receive())?.Status == 200;
        Assert.Equal(early && isRead ? 503 : 200, (await next).Status);
    }

    // Otherwise a few slow bodies would keep all others out.
    [Fact]
    public async Task A_large_body_that_takes_too_long_is_given_up()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database,
                new() { ["Limits__SmallBodyBytesMax"] = "1024", ["Limits__LargeBodySecondsMax"] = "1" });
        var body = $"action=view&product=k8s&fingerprint=slow&note={new string('x', 60_000)}";
        await using var slow = await RawConnection.To(app);
        await slow.TrySend(
            $"POST /api/events HTTP/1.1\r\nHost: tally\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: {body.Length}\r\n\r\n{body[..2_000]}");
        var answer = slow.Receive();
        for (var sent = 2_000; sent < body.Length && !answer.IsCompleted; sent += 1_000) // about six seconds in all
        {
            await Task.Delay(100, TestContext.Current.CancellationToken);
            await slow.TrySend(body[sent..Math.Min(sent + 1_000, body.Length)]);
        }
        Assert.Equal((408, "body_too_slow"),
            (await answer) is { } refused ? (refused.Status, refused.Reason) : default);
    }

    private static readonly string Large = $$"""{"text":"{{new string('x', 10 * 1024)}}"}""";

    private async Task AssertRefusesBeyond(StorageKind storage, string limit, int value, int takenMax,
        string? properties = null)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new() { [limit] = $"{value}" });
        Task<(string Id, Answer Answer)>[] posts;
        await using (await database.HoldWrites())
        {
            posts = [.. Enumerable.Range(0, Posts).Select(i => Post(app, $"id-{i}", properties))];
            // Nothing is committed now, so every answer is a refusal and the other posts wait.
            await Eventually.True(() => Task.FromResult(posts.Count(post => post.IsCompleted) >= Posts - takenMax),
                "Refusals wait for the database.");
            foreach (var refused in posts.Where(post => post.IsCompleted)) AssertRefused(await refused);
        }

        var answers = await Task.WhenAll(posts);
        var acknowledged = answers.Where(post => post.Answer.Status == 200).Select(post => post.Id).Order().ToList();
        Assert.InRange(acknowledged.Count, 1, takenMax);
        Assert.Equal(acknowledged, await Recorded(database));

        // A retry under the same id counts once, whatever became of the first try.
        foreach (var (id, answer) in answers)
            Assert.Equal(answer.Status == 200, (await Post(app, id, properties)).Answer.Duplicate);
        Assert.Equal(answers.Select(post => post.Id).Order(), await Recorded(database));
    }

    // Each has its own fingerprint: events of one would wait in its grain, not in the queue.
    private static async Task<(string Id, Answer Answer)> Post(AppProcess app, string id, string? properties = null) =>
        (id, await app.PostForm($"action=view&product=k8s&fingerprint=of-{id}&id={id}&properties={properties}"));

    private static void AssertRefused((string Id, Answer Answer) post)
    {
        post.Answer.AssertRefused(503, "overloaded");
        Assert.Equal(post.Id, post.Answer.Text("id"));
        Assert.InRange(post.Answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    private static async Task<IEnumerable<string>> Recorded(TestDatabase database) =>
        (await database.Query("select fingerprint from events", row => row.GetString(0)["of-".Length..])).Order();
}
