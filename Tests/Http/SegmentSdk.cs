using System.Text.Encodings.Web;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>Segment's SDK for servers, from npm, pointed at Tally: each message sent is counted once.</summary>
public sealed class SegmentSdk(SharedApps apps) : IClassFixture<SharedApps>
{
    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Each_kind_of_message_is_an_event(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var sdk = await NodeSdk.Start(app.Port, "shop");
        var happened = DateTime.UtcNow.AddDays(-3);
        await sdk.Call("track", new
        {
            anonymousId = visitor, userId = "u-1", @event = "Order Completed", timestamp = happened,
            properties = new { total = 9.5, text = "Käse \"x\"" },
        });
        await sdk.Call("page", new
        {
            anonymousId = visitor, name = "Docs", category = "Help", properties = new { url = "https://x.example/" },
        });
        await sdk.Call("screen", new { anonymousId = visitor, name = "Home" });
        await sdk.Call("identify", new { anonymousId = visitor, userId = "u-1", traits = new { plan = "pro" } });
        await sdk.Call("group", new { anonymousId = visitor, groupId = "g-1", traits = new { seats = 3 } });
        await sdk.Call("alias", new { userId = visitor, previousId = "u-0" });
        Assert.Equal(6, (await sdk.Close())["delivered"].Count());

        var events = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .ToDictionary(e => e.GetProperty("action").GetString()!);
        Assert.Equal(["Order Completed", "page", "screen", "identify", "group", "alias"], events.Keys);
        Assert.All(events.Values, e => Assert.Equal("shop", e.GetProperty("product").GetString()));
        Assert.Equal(
            ["""{"total":9.5,"text":"Käse \"x\"","userId":"u-1"}""",
                """{"url":"https://x.example/","category":"Help","name":"Docs"}""",
             """{"name":"Home"}""", """{"plan":"pro","userId":"u-1"}""", """{"seats":3,"groupId":"g-1"}""",
             """{"previousId":"u-0"}"""],
            events.Values.Select(e => Plain(e.GetProperty("properties"))));
        Assert.InRange(events["Order Completed"].GetProperty("occurred").GetDateTime(), happened,
            DateTime.UtcNow.AddDays(-3));
        Assert.InRange(events["page"].GetProperty("occurred").GetDateTime(), DateTime.UtcNow.AddMinutes(-10),
            DateTime.UtcNow);
    }

    [Theory, EachStorage]
    public async Task A_server_that_dies_and_comes_back_has_every_message_once(StorageKind storage)
    {
        const int each = 300;
        await using var database = await TestDatabase.Create(storage, apps.Server);
        var app = await AppProcess.Start(database);
        await using var sdk = await NodeSdk.Start(app.Port, "shop");
        for (var i = 0; i < each; i++)
            await sdk.Call("track",
                new { anonymousId = $"{visitor}-{i % 7}", @event = "tick", properties = new { i } });
        await Eventually.True(async () => await Rows(database) > 0, "Nothing is recorded.");
        await app.Kill(); // in the middle, so that some are recorded but their answers lost
        for (var i = 0; i < each; i++)
            await sdk.Call("track", new { userId = $"{visitor}-{i % 7}", @event = "tock", properties = new { i } });
        await app.DisposeAsync();
        await using (app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), app.Port))
        {
            var became = await sdk.Close();
            Assert.Equal((2 * each, 0), (became["delivered"].Distinct().Count(), became["failed"].Count()));
            Assert.Equal(2 * each, await Rows(database));
            Assert.Equal(0, await app.Terminate());
        }
        await AppProcess.AssertVerifies(database);
    }

    [Theory, EachStorage]
    public async Task A_message_that_is_refused_is_told_to_the_program_and_the_others_count(StorageKind storage)
    {
        var shared = await apps.On(storage);
        await using var sdk = await NodeSdk.Start(shared.App.Port, "shop");
        for (var i = 0; i < 9; i++) await sdk.Call("track", new { anonymousId = visitor, @event = "fine" });
        await sdk.Call("track",
            new { anonymousId = visitor, @event = "large", properties = new { text = new string('x', 33_000) } });
        for (var i = 0; i < 10; i++) await sdk.Call("track", new { anonymousId = visitor, @event = "fine" });
        var became = await sdk.Close();
        // the SDK only knows about whole batches
        Assert.Equal((10, 10), (became["failed"].Count(), became["delivered"].Count()));
        Assert.Equal(19, await shared.Rows(visitor));
    }

    private static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events where product = 'shop'", row => row.GetInt64(0)))[0];

    private static readonly JsonSerializerOptions Unescaped =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Plain(JsonElement properties) => JsonSerializer.Serialize(properties, Unescaped);
}
