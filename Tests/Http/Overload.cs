using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>More than the server takes: refused at once, and what was acknowledged is exactly what is recorded.</summary>
public sealed class Overload(PostgresServer server)
{
    private const int Posts = 40;

    [Theory, EachStorage]
    public Task Requests_beyond_the_limit_are_refused(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__RequestsMax", 4, takenMax: 4);

    // A full queue waits, and at most as much is being committed that was the queue before.
    [Theory, EachStorage]
    public Task Events_beyond_the_queue_are_refused(StorageKind storage) =>
        AssertRefusesBeyond(storage, "Limits__QueueEventsMax", 3, takenMax: 6);

    private async Task AssertRefusesBeyond(StorageKind storage, string limit, int value, int takenMax)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, new() { [limit] = $"{value}" });
        Task<(string Id, Answer Answer)>[] posts;
        await using (await database.HoldWrites())
        {
            posts = [.. Enumerable.Range(0, Posts).Select(i => Post(app, $"id-{i}"))];
            // No commit goes through now, so whoever is answered is refused, and the others wait.
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
            Assert.Equal(answer.Status == 200, (await Post(app, id)).Answer.Duplicate);
        Assert.Equal(answers.Select(post => post.Id).Order(), await Recorded(database));
    }

    // A fingerprint each: runs of one would gather behind it, and not in the queue.
    private static async Task<(string Id, Answer Answer)> Post(AppProcess app, string id) =>
        (id, await app.PostForm($"action=view&product=k8s&fingerprint=of-{id}&id={id}"));

    private static void AssertRefused((string Id, Answer Answer) post)
    {
        post.Answer.AssertRefused(503, "overloaded");
        Assert.Equal(post.Id, post.Answer.Text("id"));
        Assert.InRange(post.Answer.Headers.RetryAfter!.Delta!.Value, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(10));
    }

    private static async Task<IEnumerable<string>> Recorded(TestDatabase database) =>
        (await database.Query("select fingerprint from events", row => row.GetString(0)["of-".Length..])).Order();
}
