using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Live counts: what was added adds up to the total, however it is split over messages.</summary>
public sealed class LiveCounters(SharedApps apps) : IClassFixture<SharedApps>
{
    [Theory, EachStorage]
    public async Task What_is_added_adds_up_to_the_totals_beside_merges(StorageKind storage)
    {
        var (app, database) = await apps.On(storage);
        await using var all = await CountReading.Open(app, "/api/live");
        await using var one = await CountReading.Open(app, "/api/live?product=docs");
        var load = Load.Start([app.Port], Seed.Next(), new() { Clients = 8 });
        await Eventually.True(async () =>
            (await database.Query("select count(*) from rollups", row => row.GetInt64(0)))[0] > 0,
            "Nothing is merged.");
        await using var late = await CountReading.Open(app, "/api/live");
        await load.Acknowledges(500);
        await load.Finish();

        foreach (var (reading, condition) in ((CountReading, string)[])[(all, ""), (one, "where product = 'docs'"),
            (late, "")])
        {
            var expected =
                await database.Query(
                    $"select product, action, count(*) from events {condition} group by product, action",
                row => ((row.GetString(0), row.GetString(1)), row.GetInt64(2)));
            await reading.ReadUntil(expected.Sum(pair => pair.Item2));
            Assert.Equal(expected.Order(), reading.Totals.Select(pair => (pair.Key, pair.Value)).Order());
        }
    }

    [Theory, EachStorage]
    public async Task A_product_that_nobody_has_seen_yet_may_be_watched(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var product = "näu & " + Guid.NewGuid();
        await using var reading = await CountReading.Open(app, "/api/live?product=" + Uri.EscapeDataString(product));
        Assert.Empty(reading.Totals);
        Assert.Equal(200,
            (await app.PostForm($"action=a&product={Uri.EscapeDataString(product)}&fingerprint=f")).Status);
        await reading.ReadUntil(1);
        Assert.Equal([((product, "a"), 1L)], reading.Totals.Select(pair => (pair.Key, pair.Value)));
    }

    [Theory, EachStorage]
    public async Task It_takes_no_odd_product(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        (await app.Get("/api/live?product=")).AssertRefused(422, "missing_field", "product");
        (await app.Get("/api/live?product=a&product=b")).AssertRefused(422, "duplicate_field", "product");
        (await app.Get("/api/live?product=a%00")).AssertRefused(422, "invalid_characters", "product");
        (await app.Get("/api/live?product=" + new string('x', 257))).AssertRefused(422, "too_long", "product");
        foreach (var broken in (string[])["%ff", "%ed%a0%80"])
            (await app.Get("/api/live?product=" + broken)).AssertRefused(400, "malformed_query");
        (await app.Send(new(HttpMethod.Post, "/api/live"))).AssertRefused(405, "method_not_allowed");
    }
}
