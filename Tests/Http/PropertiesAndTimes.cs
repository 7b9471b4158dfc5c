using System.Globalization;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>What an event may carry beside what is counted.</summary>
public sealed class PropertiesAndTimes(SharedApps apps) : IClassFixture<SharedApps>
{
    private readonly string visitor = "carrying-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Properties_are_kept_as_they_were_written_and_compared_on_repeats(StorageKind storage)
    {
        var shared = await apps.On(storage);
        const string odd = """{ "a" : 1.0,"b":[1,{"c":null}], "a":"\u00e9 \ud800 \u0000 é" }""";
        Assert.Equal(200, (await shared.App.PostJson(Item($"\"properties\":{odd}"))).Status);
        Assert.True((await shared.App.PostForm($"action=view&product=k8s&fingerprint={visitor}&id=1&properties={Uri.EscapeDataString(odd)}")).Duplicate);
        Assert.Equal(1, (await shared.App.PostBatch($"[{Item($"\"properties\":{odd}")}]")).Batch.Repeated);
        (await shared.App.PostJson(Item("\"properties\":{}"))).AssertRefused(409, "id_conflict", "id");
        (await shared.App.PostJson(Item("\"properties\":null"))).AssertRefused(409, "id_conflict", "id");
        var page = await shared.App.Http.GetStringAsync(Requests.Path(visitor) + "/events");
        Assert.Contains($"\"properties\":{odd}", page);
        Assert.Equal([odd], await shared.Database.Query($"select properties from events where fingerprint = '{visitor}'", row => row.GetString(0)));
    }

    [Theory, EachStorage]
    public async Task Properties_that_are_no_object_or_too_large_are_refused(StorageKind storage)
    {
        var shared = await apps.On(storage);
        string Large(int bytes) => $"{{\"a\":\"{new string('é', (bytes - 8) / 2)}\"}}";
        foreach (var (properties, reason) in ((string, string)[])
                 [("[]", "invalid_properties"), ("1", "invalid_properties"), ("\"{}\"", "invalid_properties"), (Large(4_098), "too_long")])
        {
            (await shared.App.PostJson(Item($"\"properties\":{properties}"))).AssertRefused(422, reason, "properties");
            Assert.Equal(reason, Assert.Single((await shared.App.PostBatch($"[{Item($"\"properties\":{properties}")}]")).Batch.Refused).Reason);
        }
        foreach (var broken in (string[])["", "{", "{}{}", "{'a':1}", "x", new string('[', 2_000), "{\"a\":" + new string('[', 100) + new string(']', 100) + "}"])
            (await shared.App.PostForm($"action=view&product=k8s&fingerprint={visitor}&properties={Uri.EscapeDataString(broken)}"))
                .AssertRefused(422, "invalid_properties", "properties");
        Assert.Equal(0, await shared.Rows(visitor));
        Assert.Equal(200, (await shared.App.PostJson(Item($"\"properties\":{Large(4_096)}"))).Status);
    }

    [Theory, EachStorage]
    public async Task A_timestamp_is_when_it_was_done_within_limits(StorageKind storage)
    {
        var shared = await apps.On(storage);
        var now = DateTimeOffset.UtcNow;
        string At(DateTimeOffset time, string format) => $"\"timestamp\":\"{time.ToString(format, CultureInfo.InvariantCulture)}\"";
        var yesterday = now.AddDays(-1);
        Assert.Equal(200, (await shared.App.PostJson(Item(At(yesterday, "yyyy-MM-dd'T'HH:mm:ss.fffffff'89Z'")))).Status);
        // The same event with another clock reading is still the same.
        Assert.True((await shared.App.PostJson(Item(At(yesterday.ToOffset(TimeSpan.FromHours(2)), "yyyy-MM-dd't'HH:mm:sszzz")))).Duplicate);
        var occurred = (await shared.App.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events")[0].GetProperty("occurred").GetDateTime();
        Assert.Equal(yesterday.UtcTicks / 10, occurred.Ticks / 10);

        foreach (var time in (DateTimeOffset[])[now.AddDays(-31), now.AddMinutes(15), DateTimeOffset.MinValue, DateTimeOffset.MaxValue])
            (await shared.App.PostJson(Item(At(time, "yyyy-MM-dd'T'HH:mm:ss'Z'")))).AssertRefused(422, "out_of_range", "timestamp");
        foreach (var odd in (string[])["", "now", "2026-01-02", "2026-01-02T10:30:00", "2026-01-02 10:30:00Z", "2026-13-02T10:30:00Z", "2026-01-02T25:30:00Z",
                     "2026-01-02T10:30Z", "2026-01-02T10:30:00.Z", "2026-01-02T10:30:0012Z", "2026-01-02T10:30:00+0200", "1767349800", "2026-01-02T10:30:00Z\\n", "٢026-01-02T10:30:00Z"])
            (await shared.App.PostJson(Item($"\"timestamp\":\"{odd}\""))).AssertRefused(422, "invalid_timestamp", "timestamp");
        (await shared.App.PostJson(Item("\"timestamp\":1767349800"))).AssertRefused(400, "malformed_body");
        Assert.Equal(1, await shared.Rows(visitor));
    }

    private string Item(string more) => $$"""{"action":"view","product":"k8s","fingerprint":"{{visitor}}","id":"1",{{more}}}""";
}
