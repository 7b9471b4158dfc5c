using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>A fingerprint's history from the newest event back, and its days.</summary>
[Collection<SharedApp>]
public sealed class AskingForTimelines(SharedApps apps)
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    private string Timeline => Requests.Path(visitor) + "/timeline";

    [Theory, EachStorage]
    public async Task It_has_every_event_once_and_the_newest_first(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var random = new Random(Seed.Next());
        var day = DateTime.UtcNow.Date.AddDays(-5);
        await Post(app, Enumerable.Range(0, 60).Select(_ => day.AddHours(random.Next(48)))); // some at the same time
        var all = (await app.Get(Requests.Path(visitor) + "/events?limit=1000")).Body.GetProperty("events")
            .EnumerateArray().OrderByDescending(one => one.GetProperty("occurred").GetDateTime())
            .ThenByDescending(one => one.GetProperty("sequence").GetInt64()).ToList();

        Assert.Equal(all.Select(Text), await Page(app, random.Next(1, 20)));
        Assert.Equal(all.Select(Text), await Page(app, 60));
        var noon = day.AddHours(random.Next(48));
        Assert.Equal(all.Where(one => one.GetProperty("occurred").GetDateTime() < noon).Select(Text),
            await Page(app, random.Next(1, 20), $"&to={noon:yyyy-MM-ddTHH:mm:ss}Z"));
        Assert.Equal(all.Where(one => one.GetProperty("occurred").GetDateTime() < day.AddDays(1)).Select(Text),
            await Page(app, 1_000, $"&to={day.AddDays(1):yyyy-MM-dd}"));
    }

    [Theory, EachStorage]
    public async Task A_page_of_large_events_ends_early(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var large = new string('x', 30_000);
        for (var i = 0; i < 40; i++)
            Assert.Equal(200, (await app.PostJson(JsonSerializer.Serialize(
                new { action = "view", product = "k8s", fingerprint = visitor, properties = new { large } }))).Status);
        var first = (await app.Get(Timeline)).Body;
        Assert.Equal(35, first.GetProperty("events").GetArrayLength()); // over 1 MiB
        var rest = (await app.Get($"{Timeline}?after={first.GetProperty("next")}")).Body;
        Assert.Equal([5, 4, 3, 2, 1],
            rest.GetProperty("events").EnumerateArray().Select(one => one.GetProperty("sequence").GetInt32()));
        Assert.False(rest.TryGetProperty("next", out _));
    }

    [Theory, EachStorage]
    public async Task Days_are_counted_also_those_long_past(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var today = DateTime.UtcNow.Date;
        await Post(app, [today.AddDays(-364), today.AddDays(-365).AddHours(23), today.AddDays(-40),
            today.AddDays(-40).AddHours(23), today.AddMinutes(-1)]);
        var answer = (await app.Get(Requests.Path(visitor) + "/activity")).Body;
        Assert.Equal((today.AddDays(-364), today.AddDays(1)),
            (answer.GetProperty("from").GetDateTime(), answer.GetProperty("to").GetDateTime()));
        Assert.Equal([Day(-364, 1), Day(-40, 2), Day(-1, 1)], Days(answer));
        var earlier = await app.Get($"{Requests.Path(visitor)}/activity?from={today.AddDays(-365):yyyy-MM-dd}"
            + $"&to={today.AddDays(-40):yyyy-MM-dd}");
        Assert.Equal([Day(-365, 1), Day(-364, 1)], Days(earlier.Body));

        Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, Requests.Path(visitor)))).Status);
        (await app.Get(Requests.Path(visitor) + "/activity")).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        (await app.Get(Timeline)).AssertRefused(404, "unknown_fingerprint", "fingerprint");
        Assert.Equal(200, (await app.PostForm($"action=view&product=k8s&fingerprint={visitor}")).Status);
        Assert.Single(Days((await app.Get(Requests.Path(visitor) + "/activity")).Body));
        (await app.Get(Timeline + "?after=5")).AssertRefused(422, "invalid_cursor", "after");

        string Day(int days, int events) => $"{today.AddDays(days):yyyy-MM-dd} {events}";
    }

    [Theory]
    [InlineData("timeline?after=0", "out_of_range", "after")]
    [InlineData("timeline?after=-1", "out_of_range", "after")]
    [InlineData("timeline?after=99999999999999999999", "out_of_range", "after")]
    [InlineData("timeline?limit=1001", "out_of_range", "limit")]
    [InlineData("timeline?to=yesterday", "invalid_time", "to")]
    [InlineData("timeline?from=2026-01-01", "unknown_parameter", "from")]
    [InlineData("activity?from=2026-01-02&to=2026-01-01", "empty_range", "from")]
    [InlineData("activity?from=2026-01-02T01:00:00Z", "not_on_bucket", "from")]
    [InlineData("activity?from=2024-01-01", "too_many_days", "from")]
    public async Task What_cannot_be_asked_is_refused(string question, string reason, string field) =>
        (await (await apps.On(StorageKind.Sqlite)).App.Get($"{Requests.Path(visitor)}/{question}"))
            .AssertRefused(422, reason, field);

    private async Task Post(AppProcess app, IEnumerable<DateTime> times)
    {
        var batch = times.Select((time, i) => JsonSerializer.Serialize(new
        {
            action = "view", product = i % 3 == 0 ? "vms" : "k8s", fingerprint = visitor, timestamp = time,
            properties = new { i },
        })).ToList();
        Assert.Equal(batch.Count, (await app.Post(System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"),
            "application/json", path: Requests.BatchPath + "?history=true")).Batch.Recorded);
    }

    private async Task<List<string>> Page(AppProcess app, int limit, string query = "")
    {
        var found = new List<string>();
        for (var after = ""; ;)
        {
            var page = (await app.Get($"{Timeline}?limit={limit}{query}{after}")).Body;
            found.AddRange(page.GetProperty("events").EnumerateArray().Select(Text));
            if (!page.TryGetProperty("next", out var next)) return found;
            after = string.Create(CultureInfo.InvariantCulture, $"&after={next.GetInt64()}");
        }
    }

    private static IEnumerable<string> Days(JsonElement answer) => answer.GetProperty("days").EnumerateArray()
        .Select(one => $"{one.GetProperty("day").GetString()} {one.GetProperty("events")}");

    private static string Text(JsonElement e) => e.GetRawText();
}
