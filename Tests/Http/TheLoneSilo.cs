using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>The cluster of one: on each storage its answer has the same form.</summary>
public sealed class TheLoneSilo(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task It_tells_of_itself_and_of_the_database(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(at, new() { ["APP_SILO_NAME"] = "alone" });
        var empty = (await app.Get("/api/cluster")).Body;
        Assert.Equal(0, empty.GetProperty("database").GetProperty("events").GetInt64());
        Assert.False(FiguresOf(empty).TryGetProperty("commitP50Milliseconds", out _));
        Assert.False(FiguresOf(empty).TryGetProperty("remoteShare", out _));

        foreach (var i in Enumerable.Range(0, 5))
            Assert.Equal(200, (await app.PostForm($"action=a&product=p&fingerprint=f{i}")).Status);
        var answer = (await app.Get("/api/cluster?fingerprint=f3")).Body;
        var silo = Assert.Single(answer.GetProperty("silos").EnumerateArray());
        Assert.Equal(("alone", "active", true), (silo.GetProperty("name").GetString(),
            silo.GetProperty("state").GetString(), silo.GetProperty("answers").GetBoolean()));
        Assert.Equal(silo.GetProperty("address").GetString(),
            answer.GetProperty("owner").GetProperty("address").GetString());
        Assert.Equal((5, 0), (FiguresOf(answer).GetProperty("fingerprints").GetInt32(),
            FiguresOf(answer).GetProperty("remoteShare").GetDouble()));
        Assert.Equal(storage == StorageKind.Sqlite ? [] : (string[])["commits", "events", "membership", "questions"],
            FiguresOf(answer).GetProperty("pools").EnumerateArray().Select(pool => pool.GetProperty("name").GetString())
                .Where(name => name != "snapshots"));
        var database = answer.GetProperty("database");
        Assert.Equal((storage == StorageKind.Sqlite ? "SQLite" : "Postgres", 5),
            (database.GetProperty("kind").GetString(), database.GetProperty("events").GetInt64()));

        // what was erased is not in the log any more
        Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, "/api/fingerprints/f3"))).Status);
        Assert.Equal(4, (await app.Get("/api/cluster")).Body.GetProperty("database").GetProperty("events").GetInt64());
    }

    [Fact]
    public async Task No_folder_is_watched()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "Needs Linux' /proc.");
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at);
        Assert.Equal(200, (await app.PostForm("action=a&product=p&fingerprint=f")).Status);
        var open = Directory.EnumerateFiles($"/proc/{app.ProcessId}/fd").Select(one => new FileInfo(one).LinkTarget);
        Assert.DoesNotContain("anon_inode:inotify", open);
    }

    [Fact]
    public async Task What_is_no_fingerprint_is_refused()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var silo = await RunningSilo.Start(at, new());
        foreach (var (query, reason, field) in ((string, string, string)[])
                 [
                     ("fingerprint=", "missing_field", "fingerprint"),
                     ("fingerprint=a%00b", "invalid_characters", "fingerprint"),
                     ("fingerprint=" + new string('x', 257), "too_long", "fingerprint"),
                     ("fingerprint=a&fingerprint=b", "duplicate_field", "fingerprint"),
                     ("fingerprnt=a", "unknown_parameter", "fingerprnt"),
                 ])
            (await silo.Get("/api/cluster?" + query)).AssertRefused(422, reason, field);
        foreach (var odd in (string[])["<img onerror>", "'; drop table events; --", "\u202e", "😀", "__proto__"])
            Assert.Equal("test", (await silo.Get("/api/cluster?fingerprint=" + Uri.EscapeDataString(odd))).Body
                .GetProperty("owner").GetProperty("name").GetString());
        await at.Execute("alter table removed_rollups rename to hidden");
        (await silo.Get("/api/cluster")).AssertRefused(503, "unavailable");
    }

    private static JsonElement FiguresOf(JsonElement answer) =>
        answer.GetProperty("silos")[0].GetProperty("figures");
}
