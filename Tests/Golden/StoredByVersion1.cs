using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Tally.Grains;
using Tally.Tests.Harness;

namespace Tally.Tests.Golden;

/// <summary>
/// Every later version must read what version 1 has stored. This fails if a member of a stored type changes its [Id] or
/// its type, or an [Id] is reused; if a number behind DaySet's bits or EventIds' hash changes; if a released migration
/// is edited; or if grain storage changes its serializer, the grain's name or its keys. Then correct the change, not
/// the files. Today's code may write something else as long as it reads this. During a rolling upgrade the previous
/// version reads that too, and skips unknown members.
/// </summary>
public sealed class StoredByVersion1(PostgresServer server)
{
    private const string Visitor = "visitor-1";

    private static readonly string Payload =
        string.Concat(File.ReadLines(Repository.File("Tests/Golden/version-1-snapshot.hex")));

    // The visitor's days, after the last two events are added.
    private static readonly string[] Activity =
        ["2031-07-04 1", "2026-05-21 2", "2026-05-20 1", "2026-03-02 1", "2026-03-01 3", "2024-02-29 1"];

    // The grain remembers fewer events than there are, so it must start from the snapshot.
    private static readonly Dictionary<string, string> ShortMemory = new()
    {
        ["Limits__RememberedEventsMax"] = "8", ["APP_DIMENSIONS"] = "default,plan",
    };

    [Fact]
    public async Task A_snapshot_reads_as_the_state_that_was_written()
    {
        await using var services = new ServiceCollection().AddSerializer().BuildServiceProvider();
        var state =
            services.GetRequiredService<Serializer<FingerprintState>>().Deserialize(Convert.FromHexString(Payload))!;

        Assert.Equal((7, 7), (state.Sequence, state.Total));
        Assert.Equal((At("2024-02-29T08:30:00Z"), At("2031-07-04T10:00:00Z")), (state.FirstSeen, state.LastSeen));
        Assert.Equal(DateTimeKind.Utc, state.FirstSeen.Kind);
        AssertDays(state.Days, "2024-02-29", "2026-03-01", "2026-03-02", "2026-05-20", "2031-07-04");
        Assert.Equal(
            [
                ("k8s", "view", 3, At("2026-03-01T12:00:00.000001Z"), At("2026-05-20T00:00:00Z")),
                ("k8s", "click", 1, At("2026-03-01T23:59:59.999999Z"), At("2026-03-01T23:59:59.999999Z")),
                ("docs", "view", 2, At("2024-02-29T08:30:00Z"), At("2026-03-02T00:00:00Z")),
                ("käse", "buy", 1, At("2031-07-04T10:00:00Z"), At("2031-07-04T10:00:00Z")),
            ],
            state.Counters.Select(c => (c.Product, c.Action, c.Count, c.FirstSeen, c.LastSeen)));
        Assert.Equal(Activity.Where(day => day != "2026-05-21 2"),
            state.ToView(Visitor).Activity.Select(day => $"{day.Day:yyyy-MM-dd} {day.Events}"));
        Assert.Equal(["k8s", "docs", "käse"], state.Products.Select(product => product.Product));
        AssertDays(state.Products[0].Days, "2026-03-01", "2026-05-20");
        AssertDays(state.Products[1].Days, "2024-02-29", "2026-03-02");
        AssertDays(state.Products[2].Days, "2031-07-04");
    }

    [Theory, EachStorage]
    public async Task A_database_is_served_verified_and_goes_on(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using (await database.OpenPrepared()) { }
        foreach (var file in (string[])["version-1.sql", $"version-1-{storage}.sql".ToLowerInvariant()])
            await database.Execute(
                InDialectOf(storage, await File.ReadAllTextAsync(Repository.File("Tests/Golden/" + file))));
        await AppProcess.AssertVerifies(database);

        await using var app = await AppProcess.Start(database, ShortMemory);
        Assert.Equal((1, 1), Totals((await app.View("besucher ü")).Body));
        var view = (await app.View(Visitor)).Body;
        Assert.Equal((9, 9), Totals(view));
        Assert.Equal((At("2024-02-29T08:30:00Z"), At("2031-07-04T10:00:00Z")),
            (view.GetProperty("firstSeen").GetDateTime(), view.GetProperty("lastSeen").GetDateTime()));
        Assert.Equal(["k8s view 4", "k8s click 1", "docs view 2", "käse buy 1", "docs click 1"],
            view.GetProperty("counts").EnumerateArray()
                .Select(c => $"{c.GetProperty("product")} {c.GetProperty("action")} {c.GetProperty("count")}"));

        Assert.Equal(6, view.GetProperty("daysActive").GetInt32());
        Assert.Equal(Activity,
            view.GetProperty("activity").EnumerateArray()
                .Select(day => $"{day.GetProperty("day")} {day.GetProperty("events")}"));
        Assert.Equal((3, 3), Totals((await app.View("pruned-1")).Body));
        var plans = (await app.Get("/api/breakdown?by=plan&from=2026-01-01&to=2026-06-01")).Body;
        Assert.Equal(["free 1", "pro 1"], plans.GetProperty("values").EnumerateArray()
            .Select(plan => $"{plan.GetProperty("value")} {plan.GetProperty("events")}"));
        Assert.Equal((4, 2),
            (plans.GetProperty("events").GetInt32(), plans.GetProperty("other").GetProperty("events").GetInt32()));
        (await app.PostForm("action=view&product=k8s&fingerprint=erased-1")).AssertRefused(403, "suppressed",
            "fingerprint");

        // Both kinds of id. The grain no longer knows the first, so the log's index finds it.
        var repeat = await app.PostForm($"action=view&product=k8s&fingerprint={Visitor}&id=order-1");
        Assert.Equal((200, 1, true), (repeat.Status, repeat.Sequence, repeat.Duplicate));
        repeat = await app.PostForm(
            $"action=click&product=k8s&fingerprint={Visitor}&id=11111111-2222-4333-8444-555555555555");
        Assert.Equal((200, 2, true), (repeat.Status, repeat.Sequence, repeat.Duplicate));
        Assert.Equal(10, (await app.PostForm($"action=view&product=k8s&fingerprint={Visitor}")).Sequence);
        Assert.Equal(0, await app.Terminate());
        await AppProcess.AssertVerifies(database);
    }

    private static string InDialectOf(StorageKind storage, string sql)
    {
        sql = sql.Replace("{payload}", $"x'{Payload}'");
        return storage == StorageKind.Sqlite ? sql : Regex.Replace(sql, "x'([0-9a-f]+)'", @"'\x$1'");
    }

    private static (long, long) Totals(JsonElement view) =>
        (view.GetProperty("total").GetInt64(), view.GetProperty("sequence").GetInt64());

    private static void AssertDays(DaySet days, params string[] expected)
    {
        Assert.Equal(expected.Length, days.Count);
        Assert.All(expected, day =>
            Assert.True(days.Contains(Calendar.Utc.DayOf(At(day + "T00:00:00Z")).DayNumber), day));
    }

    private static DateTime At(string utc) =>
        DateTimeOffset.Parse(utc, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;
}
