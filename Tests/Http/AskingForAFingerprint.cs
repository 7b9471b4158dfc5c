using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What a fingerprint has done: its view, its history.</summary>
[Collection<SharedApp>]
public sealed class AskingForAFingerprint(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task A_view_counts_by_product_and_action_with_first_and_last_seen(StorageKind storage)
    {
        var shared = await apps.On(storage);
        foreach (var (product, action) in ((string, string)[])[("k8s", "view"), ("vms", "view"), ("k8s", "buy"),
            ("k8s", "view")])
            await Record(shared.App, product, action);

        var view = (await shared.App.View(visitor)).Body;
        Assert.Equal((visitor, 4L, 4L),
            (view.GetProperty("fingerprint").GetString(), Number(view, "total"), Number(view, "sequence")));
        Assert.Equal([("k8s", "view", 2L), ("vms", "view", 1L), ("k8s", "buy", 1L)],
            view.GetProperty("counts").EnumerateArray().Select(count =>
                (count.GetProperty("product").GetString()!, count.GetProperty("action").GetString()!,
                    Number(count, "count"))));

        // Each event's time, as in its row.
        var times =
            (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .Select(e => e.GetProperty("occurred").GetDateTime()).ToList();
        Assert.All(times, time => Assert.InRange(time, DateTime.UtcNow.AddMinutes(-5), DateTime.UtcNow.AddMinutes(5)));
        Assert.Equal((times[0], times[3]), Seen(view));
        Assert.Equal([(times[0], times[3]), (times[1], times[1]), (times[2], times[2])],
            view.GetProperty("counts").EnumerateArray().Select(Seen));
    }

    [Theory, EachStorage]
    public async Task The_sequence_is_the_etag_and_a_view_that_is_still_true_is_304(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Record(app, "k8s", "view");
        Assert.Equal("\"1\"", (await app.View(visitor)).Headers.ETag!.Tag);
        foreach (var still in (string[])["\"1\"", "W/\"1\"", "*", "\"7\", \"1\"", "\"7\",W/\"1\" , \"9\""])
            Assert.Equal((304, "\"1\""), await Ask(app, still));
        foreach (var other in (string[])["\"2\"", "1", "\"11\"", "W/\"2\", \"3\"", "nonsense"])
            Assert.Equal((200, "\"1\""), await Ask(app, other));
        await Record(app, "k8s", "view");
        Assert.Equal((200, "\"2\""), await Ask(app, "\"1\""));
    }

    [Theory, EachStorage]
    public async Task An_unknown_fingerprint_is_404_and_leaves_nothing_on_disk(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await Record(shared.App, "k8s", "view"); // so that every table is in use
        var before = await TableSizes(shared.Database);
        for (var i = 0; i < 50; i++)
        {
            (await shared.App.View($"{visitor}-{i}")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
            (await shared.App.Get(Requests.Path($"{visitor}-{i}") + "/events")).AssertRefused(404,
                "unknown_fingerprint", "fingerprint");
        }
        Assert.Equal(before, await TableSizes(shared.Database));
    }

    [Theory, EachStorage]
    public async Task The_history_is_paged_by_sequence(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        for (var i = 1; i <= 7; i++) await Record(app, $"p{i}", "view");

        var pages = new List<long[]>();
        long? after = 0;
        while (after is not null)
        {
            var page = (await app.Get($"{Requests.Path(visitor)}/events?after={after}&limit=3")).Body;
            pages.Add([.. page.GetProperty("events").EnumerateArray().Select(e => Number(e, "sequence"))]);
            after = page.TryGetProperty("next", out var next) ? next.GetInt64() : null;
        }
        Assert.Equal([[1, 2, 3], [4, 5, 6], [7]], pages);

        var past = await app.Get($"{Requests.Path(visitor)}/events?after=7");
        Assert.Equal((200, 0), (past.Status, past.Body.GetProperty("events").GetArrayLength()));
        var last = (await app.Get($"{Requests.Path(visitor)}/events?after=6")).Body.GetProperty("events")[0];
        Assert.Equal(("p7", "view"), (last.GetProperty("product").GetString(), last.GetProperty("action").GetString()));
    }

    [Theory, EachStorage]
    public async Task A_page_takes_no_odd_parameter(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await Record(app, "k8s", "view");
        foreach (var odd in (string[])["-1", "1.5", "x", "", "%2B1", "9223372036854775808"])
            (await app.Get($"{Requests.Path(visitor)}/events?after={odd}")).AssertRefused(422, "out_of_range", "after");
        (await app.Get($"{Requests.Path(visitor)}/events?after=1&after=2")).AssertRefused(422, "duplicate_field",
            "after");
        foreach (var odd in (string[])["0", "-1", "1001", "x", "", "%201", "4294967297"])
            (await app.Get($"{Requests.Path(visitor)}/events?limit={odd}")).AssertRefused(422, "out_of_range", "limit");
        Assert.Equal(200,
            (await app.Get($"{Requests.Path(visitor)}/events?limit=1000&after=9223372036854775807")).Status);
    }

    private async Task Record(AppProcess app, string product, string action) =>
        Assert.Equal(200, (await app.PostForm($"action={action}&product={product}&fingerprint={visitor}")).Status);

    private async Task<(int Status, string? Tag)> Ask(AppProcess app, string ifNoneMatch)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Requests.Path(visitor));
        request.Headers.TryAddWithoutValidation("If-None-Match", ifNoneMatch);
        var answer = await app.Send(request);
        return (answer.Status, answer.Headers.ETag?.Tag);
    }

    private static async Task<List<(string Table, long Rows)>> TableSizes(TestDatabase database)
    {
        // Meanwhile the background merges deltas into rollups, counters and visits, so their row counts may change.
        var tables = await database.Query(database.Kind == StorageKind.Sqlite
                ? "select name from sqlite_schema where type = 'table' and name not like 'rollup%' and name not like 'visit%' and name not like 'counter%' order by name"
                : "select tablename from pg_tables where schemaname = 'public' and tablename not like 'rollup%' and tablename not like 'visit%' and tablename not like 'counter%' order by tablename",
            row => row.GetString(0));
        var sizes = new List<(string Table, long Rows)>();
        foreach (var table in tables)
            sizes.Add((table, (await database.Query($"select count(*) from {table}", row => row.GetInt64(0)))[0]));
        Assert.Contains(sizes, size => size is ("events", > 0));
        return sizes;
    }

    private static (DateTime First, DateTime Last) Seen(JsonElement view) =>
        (view.GetProperty("firstSeen").GetDateTime(), view.GetProperty("lastSeen").GetDateTime());

    private static long Number(JsonElement element, string name) => element.GetProperty(name).GetInt64();
}
