using Tally.Tests.Harness;

namespace Tally.Tests.Storage;

/// <summary>
/// A new fingerprint is recorded without a look into the log. If the log has it after all, because others have written
/// or removed behind the silo's back, nothing is lost, doubled or let in.
/// </summary>
public sealed class RecordedUnread(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task New_fingerprints_are_not_loaded_and_known_ones_are(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(at))
        {
            await PostUntilSpared(app);
            for (var i = 0; i < 20; i++) Assert.Equal((200, 1L), await Post(app, $"f{i}", "first"));
            var metrics = await ScrapeWhen(app, "tally_loads_spared_total", 21);
            Assert.Equal(0, metrics.Sum("tally_fences_total"));
            Assert.Equal(0, await app.Terminate());
        }
        await using (var app = await AppProcess.Start(at))
        {
            await PostUntilSpared(app);
            var loaded = (await PrometheusText.Scrape(app)).Sum("tally_load_fingerprints_sum");
            for (var i = 0; i < 20; i++) Assert.Equal((200, 1L), await Post(app, $"f{i}", "first"));
            for (var i = 0; i < 20; i++) Assert.Equal((200, 2L), await Post(app, $"f{i}", "second"));
            var metrics = await ScrapeWhen(app, "tally_load_fingerprints_sum", loaded + 20);
            Assert.Equal(loaded + 20, metrics.Sum("tally_load_fingerprints_sum"));
        }
        await AppProcess.AssertVerifies(at);
    }

    [Theory, EachStorage]
    public async Task What_others_have_recorded_is_continued(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await StartFilled(at);
        await using var others = RunningLog.Start(silo.Database);
        await new FingerprintWriter("theirs").Record(others.Commit, EventSamples.View("id"), EventSamples.View());

        var posts = Enumerable.Range(0, 20).Select(i => silo.PostForm(Form($"new-{i}", "id"))).ToList();
        var repeat = await silo.PostForm(Form("theirs", "id"));
        Assert.Equal((200, 1L, true), (repeat.Status, repeat.Sequence, repeat.Duplicate));
        Assert.Equal((200, 3L), await Post(silo, "theirs", "another"));
        Assert.All(await Task.WhenAll(posts), post => Assert.Equal((200, 1L), (post.Status, post.Sequence)));
        await RunningLog.AssertProven(silo.Database);
    }

    [Theory, EachStorage]
    public async Task Nobody_is_told_less_than_the_log_has(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await StartFilled(at);
        await using var others = RunningLog.Start(silo.Database);
        foreach (var name in (string[])["asked", "posted", "erased"])
            await new FingerprintWriter(name).Record(others.Commit, EventSamples.Views(3));
        Assert.Equal(3, (await silo.Get("/api/fingerprints/asked")).Body.GetProperty("total").GetInt64());

        Task<Answer> post, view, erased, erasure;
        await using (await at.HoldWrites())
        {
            post = silo.PostForm(Form("posted", "new"));
            erased = silo.PostForm(Form("erased", "new"));
            await Eventually.True(() => Task.FromResult(silo.Residents.Count == 3),
                "They are not waiting for their first commit.");
            view = silo.Get("/api/fingerprints/posted");
            erasure = silo.Send(new(HttpMethod.Delete, "/api/fingerprints/erased"));
        }
        Assert.Equal((200, 4L), ((await post).Status, (await post).Sequence));
        Assert.InRange((await view).Body.GetProperty("total").GetInt64(), 3, 4);
        Assert.Equal((200, 200), ((await erased).Status, (await erasure).Status));
        Assert.Equal((await erased).Sequence == 4 ? 4 : 3, (await erasure).Body.GetProperty("events").GetInt64());
        await RunningLog.AssertProven(silo.Database);
    }

    [Theory, EachStorage]
    public async Task A_pruned_history_is_continued(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await StartFilled(at);
        await using var others = RunningLog.Start(silo.Database);
        await new FingerprintWriter("pruned").Record(others.Commit, EventSamples.Views(3));
        var pruned = await silo.Database.Storage.Prune(["pruned"], EventSamples.Noon.AddMinutes(1), 10);
        Assert.Equal(3, pruned!.Events);
        Assert.Equal((200, 4L), await Post(silo, "pruned", "new"));
        Assert.Equal((200, 1L), await Post(silo, "another", "new"));
        await RunningLog.AssertProven(silo.Database);
    }

    // Another silo suppresses; SQLite has no other.
    [Fact]
    public async Task Whom_others_have_suppressed_is_refused()
    {
        await using var at = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silo = await StartFilled(at);
        Assert.NotNull(await silo.Database.Storage.Erase("suppressed", 0, suppress: true, 10));
        Task<Answer>[] posts;
        await using (await at.HoldWrites()) // the second batch has all but the first post
            posts = [.. Enumerable.Range(0, 10).Select(i => silo.PostForm(Form($"new-{i}", "id"))),
                silo.PostForm(Form("suppressed", "id"))];
        var answers = await Task.WhenAll(posts);
        answers[^1].AssertRefused(403, "suppressed", "fingerprint");
        Assert.All(answers[..^1], answer => Assert.Equal((200, 1L), (answer.Status, answer.Sequence)));
        await RunningLog.AssertProven(silo.Database);
    }

    [Theory, EachStorage]
    public async Task Who_is_suppressed_before_any_event_is_refused(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var silo = await StartFilled(at))
        {
            Assert.True((await silo.Grain("unseen").Erase(suppress: true)).Removed!.Suppressed);
            Assert.Equal(403, (await silo.PostForm(Form("unseen", "id"))).Status);
            Assert.Equal((200, 1L), await Post(silo, "another", "id"));
        }
        await using (var silo = await RunningSilo.Start(at, new()))
        {
            Assert.Equal(403, (await silo.PostForm(Form("unseen", "id"))).Status);
            Assert.False(silo.Known.IsNew("yet another", out _));
        }
    }

    private static async Task<RunningSilo> StartFilled(TestDatabase at)
    {
        var silo = await RunningSilo.Start(at, new());
        await silo.KnowNewOnes();
        return silo;
    }

    // What is scraped may be a third of a second old.
    private static async Task<PrometheusText> ScrapeWhen(AppProcess app, string series, double atLeast)
    {
        PrometheusText? metrics = null;
        await Eventually.True(async () => (metrics = await PrometheusText.Scrape(app)).Sum(series) >= atLeast,
            $"{series} does not reach {atLeast}.");
        return metrics!;
    }

    private static async Task PostUntilSpared(AppProcess app)
    {
        var posted = 0;
        await Eventually.True(async () =>
        {
            await Post(app, $"{Guid.NewGuid()}", $"{posted++}");
            return (await PrometheusText.Scrape(app)).Sum("tally_loads_spared_total") > 0;
        }, "Every fingerprint is loaded.");
    }

    private static async Task<(int Status, long Sequence)> Post(IServing app, string fingerprint, string id)
    {
        var answer = await app.PostForm(Form(fingerprint, id));
        return (answer.Status, answer.Sequence);
    }

    private static string Form(string fingerprint, string id) =>
        $"action=view&product=k8s&fingerprint={fingerprint}&id={id}";
}
