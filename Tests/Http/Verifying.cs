using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Proofs that are asked for over HTTP, beside events that come.</summary>
public sealed class Verifying(PostgresServer server)
{
    private const string Path = "/api/verifications";
    private const int Slow = 500; // events a second

    [Theory, EachStorage]
    public async Task What_is_stored_is_proven_and_a_changed_row_is_found(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        Assert.Equal("""{"ended":[]}""", (await silo.Get(Path)).Body.GetRawText());
        await Fill(silo, 1_200);
        var held = await Verify(silo);
        Assert.Equal(("held", 1, 1_200, 40, 0), (held.GetProperty("state").GetString(),
            held.GetProperty("progress").GetDouble(), held.GetProperty("events").GetInt64(),
            held.GetProperty("fingerprints").GetInt64(), held.GetProperty("differences").GetInt64()));
        Assert.InRange(held.GetProperty("begun").GetDateTime(), DateTime.UtcNow.AddMinutes(-2),
            held.GetProperty("ended").GetDateTime());
        Assert.Equal("test", held.GetProperty("silo").GetString());

        await at.Execute("update events set action = 'bought' where fingerprint = 'f7' and sequence = 2");
        var differs = await Verify(silo);
        Assert.Equal("differs", differs.GetProperty("state").GetString());
        Assert.InRange(differs.GetProperty("differences").GetInt64(), 3, 20);
        Assert.Equal(differs.GetProperty("differences").GetInt64(), differs.GetProperty("found").GetArrayLength());
        Assert.Contains(differs.GetProperty("found").EnumerateArray(),
            line => line.GetString()!.Contains(" k8s bought"));
        var all = (await silo.Get(Path)).Body;
        Assert.Equal(held.GetRawText(), all.GetProperty("lastHeld").GetRawText());
        Assert.Equal([differs.GetRawText(), held.GetRawText()],
            all.GetProperty("ended").EnumerateArray().Select(one => one.GetRawText()));
        Assert.False(all.TryGetProperty("running", out _));
    }

    [Theory, EachStorage]
    public async Task Of_many_differences_the_first_are_kept(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await Fill(silo, 200);
        await at.Execute("update events set fingerprint = 'x' || fingerprint");
        var differs = await Verify(silo);
        Assert.InRange(differs.GetProperty("differences").GetInt64(), 40, 1_000);
        Assert.Equal(20, differs.GetProperty("found").GetArrayLength());
    }

    [Theory, EachStorage]
    public async Task Its_progress_is_seen_others_join_it_and_events_are_recorded_meanwhile(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { VerificationEventsPerSecondMax = Slow });
        await Fill(silo, 2_500);
        var begun = await Task.WhenAll(Enumerable.Range(0, 5).Select(_ => Post(silo)));
        Assert.Equal([200, 200, 200, 200, 202], begun.Select(answer => answer.Status).Order());
        var id = Assert.Single(begun.Select(answer => answer.Body.GetProperty("id").GetInt64()).Distinct());

        var seen = new SortedDictionary<double, long>();
        var late = 0;
        var lateWhileUnread = 0; // while it was not yet seen to read
        await Eventually.True(async () =>
        {
            Assert.Equal(200, (await silo.PostForm("action=late&product=k8s&fingerprint=late")).Status);
            late++;
            if (!(await silo.Get(Path)).Body.TryGetProperty("running", out var running)) return true;
            Assert.Equal((id, "running"), (running.GetProperty("id").GetInt64(),
                running.GetProperty("state").GetString()));
            var progress = running.GetProperty("progress").GetDouble();
            Assert.True(seen.Count == 0 || progress >= seen.Last().Key);
            seen[progress] = running.GetProperty("events").GetInt64();
            if (seen.Last().Value == 0) lateWhileUnread = late;
            return false;
        }, "It does not end.");
        Assert.InRange(seen.Count, 2, 2_500);
        var ended = (await silo.Get(Path)).Body.GetProperty("ended")[0];
        Assert.Equal((id, "held"), (ended.GetProperty("id").GetInt64(), ended.GetProperty("state").GetString()));
        var read = ended.GetProperty("events").GetInt64(); // those recorded before it began to read
        Assert.InRange(read, 2_500, 2_500 + lateWhileUnread + 1); // one more before the look that saw it read
        Assert.All(seen, one => Assert.Equal(one.Key, one.Value / (double)read, 0.001));
    }

    [Theory, EachStorage]
    public async Task When_the_process_is_told_to_stop_it_ends_at_once(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using (var app = await AppProcess.Start(at, new() { ["Limits__VerificationEventsPerSecondMax"] = "500" }))
        {
            await Fill(app, 20_000); // 40 s
            Assert.Equal(202, (await Post(app)).Status);
            await Eventually.True(async () => Running(await app.Get(Path)) is { } running
                && running.GetProperty("events").GetInt64() > 0, "It does not read.");
            Assert.Equal(0, await app.Terminate());
            app.AssertLoggedNo("fail:");
        }
        await using var next = await RunningSilo.Start(at, new());
        var stopped = (await next.Get(Path)).Body.GetProperty("ended")[0];
        Assert.Equal(("stopped", "silo_stopped"),
            (stopped.GetProperty("state").GetString(), stopped.GetProperty("reason").GetString()));
        Assert.InRange(stopped.GetProperty("progress").GetDouble(), 0.01, 0.99);
        Assert.False(stopped.TryGetProperty("differences", out _));
        Assert.Equal("held", (await Verify(next)).GetProperty("state").GetString());
    }

    [Theory, EachStorage]
    public async Task When_the_silo_is_killed_another_one_begins_after_a_silence(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        long id;
        await using (var app = await AppProcess.Start(at, new() { ["Limits__VerificationEventsPerSecondMax"] = "500" }))
        {
            await Fill(app, 10_000);
            id = (await Post(app)).Body.GetProperty("id").GetInt64();
            await Eventually.True(async () => Running(await app.Get(Path))?.GetProperty("events").GetInt64() > 0,
                "It does not read.");
            await app.Kill();
        }
        await using var next = await AppProcess.Start(at, AppProcess.ClusterOfItsOwn());
        await at.Execute("update verifications set seen = " + (storage == StorageKind.Sqlite
            ? "strftime('%Y-%m-%dT%H:%M:%f000Z', 'now')" : "now()")); // however long that start took
        Assert.Equal(id, Running(await next.Get(Path))!.Value.GetProperty("id").GetInt64());
        var joined = await Post(next);
        Assert.Equal((200, id), (joined.Status, joined.Body.GetProperty("id").GetInt64()));

        await at.Execute("update verifications set seen = " + (storage == StorageKind.Sqlite
            ? "strftime('%Y-%m-%dT%H:%M:%f000Z', seen, '-20 seconds')" : "seen - interval '20 s'"));
        var died = (await next.Get(Path)).Body.GetProperty("ended")[0];
        Assert.Equal((id, "stopped", "silo_died"), (died.GetProperty("id").GetInt64(),
            died.GetProperty("state").GetString(), died.GetProperty("reason").GetString()));
        Assert.NotEqual(id, (await Verify(next)).GetProperty("id").GetInt64());
        Assert.Equal(died.GetRawText(), (await next.Get(Path)).Body.GetProperty("ended")[1].GetRawText());
    }

    [Theory, EachStorage]
    public async Task One_that_cannot_end_says_why(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { VerificationRollupsMax = 1 });
        await Fill(silo, 1_000);
        Assert.Equal(("stopped", "too_many_rollups"), Ending(await Verify(silo)));
        await at.Execute("alter table visits rename to hidden_visits");
        Assert.Equal(("stopped", "unavailable"), Ending(await Verify(silo)));
        await at.Execute("alter table hidden_visits rename to visits");

        await at.Execute("alter table verifications rename to hidden_verifications");
        foreach (var answer in (Answer[])[await silo.Get(Path), await Post(silo)])
            answer.AssertRefused(503, "unavailable");
        await at.Execute("alter table hidden_verifications rename to verifications");
    }

    [Fact]
    public async Task A_read_key_may_begin_one_and_no_other()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at, new()
        {
            ["APP_READ_KEYS"] = "reader-0123456789abcdef", ["APP_WRITE_KEYS"] = "writer-0123456789abcdef",
        });
        foreach (var (key, status) in ((string?, int)[])
            [(null, 401), ("other-0123456789abcdef", 401), ("writer-0123456789abcdef", 403),
                ("reader-0123456789abcdef", 202)])
            foreach (var path in (string[])[Path, Path + "?x=1"])
            {
                var asked = new HttpRequestMessage(HttpMethod.Post, path);
                if (key is not null) asked.Headers.Authorization = new("Bearer", key);
                Assert.Equal(status == 202 && path != Path ? 422 : status, (await app.Send(asked)).Status);
            }
    }

    private static (string?, string?) Ending(JsonElement verification) =>
        (verification.GetProperty("state").GetString(), verification.GetProperty("reason").GetString());

    private static Task<Answer> Post(IServing silo) => silo.Send(new(HttpMethod.Post, Path));

    private static JsonElement? Running(Answer answer) =>
        answer.Body.TryGetProperty("running", out var running) ? running : null;

    private static async Task<JsonElement> Verify(IServing silo)
    {
        var begun = await Post(silo);
        Assert.Equal(202, begun.Status);
        await Eventually.True(async () => Running(await silo.Get(Path)) is null, "It does not end.");
        var ended = (await silo.Get(Path)).Body.GetProperty("ended")[0];
        Assert.Equal(begun.Body.GetProperty("id").GetInt64(), ended.GetProperty("id").GetInt64());
        return ended;
    }

    private static async Task Fill(IServing silo, int events)
    {
        for (var sent = 0; sent < events; sent += 2_000)
            Assert.Equal(Math.Min(2_000, events - sent), (await silo.PostBatch(JsonSerializer.Serialize(
                Enumerable.Range(sent, Math.Min(2_000, events - sent)).Select(i => new
                {
                    action = i % 3 == 0 ? "view" : "buy", product = "k8s", fingerprint = $"f{i % 40}",
                })))).Batch.Recorded);
    }
}
