using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>
/// Reads while the database does not answer. Its tables have other names for a while, so each statement fails on either
/// storage.
/// </summary>
public sealed class UnansweredReads(PostgresServer server)
{
    private static readonly string[] Tables = ["events", "counters", "rollups", "rollup_hours", "rollup_deltas",
        "visits", "visit_deltas", "feed", "feed_watch"];

    [Theory, EachStorage]
    public async Task They_say_so_with_503_and_nothing_of_an_event(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        Assert.Equal(200, (await app.PostForm("action=view&product=k8s&fingerprint=known")).Status);

        await Rename(database, "", "_away");
        string[] paths =
        [
            "/api/fingerprints/new", "/api/fingerprints/known/events", "/api/fingerprints", "/api/totals",
            "/api/uniques", "/api/present", "/api/export",
            "/api/top?of=products", "/api/top?of=fingerprints",
            // Streams that have not begun: of the counts, of a fingerprint whose head is not known, and of one whose
            // head is known but whose reader names an event that only the log could know.
            "/api/live", "/api/live?product=k8s", "/api/fingerprints/new/live", "/api/fingerprints/known/live?after=5",
            "/api/live/events", "/api/live/events?after=1",
        ];
        var answers = await Task.WhenAll(paths.Select(app.Get));
        await Rename(database, "_away", "");
        Assert.All(paths.Zip(answers), asked =>
        {
            var (path, answer) = asked;
            Assert.Equal((path, 503, "unavailable"), (path, answer.Status, answer.Reason));
            answer.AssertRefused(503, "unavailable");
            Assert.True(answer.Headers.RetryAfter?.Delta > TimeSpan.Zero, path);
            Assert.DoesNotContain("recorded", answer.Text("detail"));
        });

        await using var counts = await CountReading.Open(app, "/api/live");
        await counts.ReadUntil(1);
        await using var live = await LiveStream.Open(app, LiveStream.PathOf("known"), "0");
        Assert.Equal([1L], await live.Sequences(1));
    }

    private static async Task Rename(TestDatabase database, string from, string to)
    {
        foreach (var table in Tables) await database.Execute($"alter table {table}{from} rename to {table}{to}");
    }
}
