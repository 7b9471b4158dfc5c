using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>Snowplow's tracker for servers, from npm, pointed at Tally: each event sent is counted once.</summary>
[Collection<SharedApp>]
public sealed class SnowplowTracker(SharedApps apps)
{
    private const string Script = "snowplow.js";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Each_kind_of_event_is_recorded(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var sdk = await NodeSdk.Start(app.Port, "shop", Script);
        await Track(sdk, "buildPageView", new
        {
            pageUrl = "https://shop.example/docs?utm_source=mail", pageTitle = "Käse",
            referrer = "https://x.example/a",
        });
        await Track(sdk, "buildPagePing", new { pageUrl = "https://shop.example/docs", maxYOffset = 70 });
        await Track(sdk, "buildStructEvent", new { category = "shop", action = "add", label = "x", value = 9.5 });
        await Track(sdk, "buildEcommerceTransaction", new { orderId = "o-1", total = 9.5 });
        await Track(sdk, "buildSelfDescribingEvent", new
        {
            @event = new
            {
                schema = "iglu:com.acme/button_click/jsonschema/1-0-0",
                data = new { button = "buy", text = "Käse \"x\"" },
            },
        }, new { schema = "iglu:com.acme/user/jsonschema/1-0-0", data = new { plan = "pro" } });
        Assert.Equal(5, (await sdk.Close())["delivered"].Distinct().Count());

        var events = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .ToDictionary(one => one.GetProperty("action").GetString()!);
        Assert.Equal(["add", "button_click", "page_ping", "transaction", "view"],
            events.Keys.Order(StringComparer.Ordinal));
        Assert.All(events.Values, one => Assert.Equal("shop", one.GetProperty("product").GetString()));
        Assert.Equal(("/docs", "mail", "x.example", "Käse"), (Of("view", "path").GetString(),
            Of("view", "utm_source").GetString(), Of("view", "referrer").GetString(), Of("view", "title").GetString()));
        Assert.Equal(("shop", "9.5"), (Of("add", "se_ca").GetString(), Of("add", "se_va").GetString()));
        Assert.Equal("o-1", Of("transaction", "tr_id").GetString());
        Assert.Equal(("buy", "Käse \"x\"", "iglu:com.acme/button_click/jsonschema/1-0-0"),
            (Of("button_click", "button").GetString(), Of("button_click", "text").GetString(),
                Of("button_click", "schema").GetString()));
        Assert.Equal("pro", Of("button_click", "contexts")[0].GetProperty("data").GetProperty("plan").GetString());
        Assert.All(events.Values, one => Assert.InRange(
            one.GetProperty("created").GetDateTime() - one.GetProperty("occurred").GetDateTime(),
            TimeSpan.FromMilliseconds(-1), TimeSpan.FromMinutes(10)));

        JsonElement Of(string action, string name) => events[action].GetProperty("properties").GetProperty(name);
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once()
    {
        const int each = 300;
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        var app = await AppProcess.Start(database);
        await using var sdk = await NodeSdk.Start(app.Port, "shop", Script);
        for (var i = 0; i < each; i++) await Track(sdk, "buildStructEvent", new { category = "c", action = "tick" });
        await Eventually.True(async () => await Rows(database) > 0, "Nothing is recorded.");
        await app.Kill(); // in the middle, so that some are recorded but their answers lost
        for (var i = 0; i < each; i++) await Track(sdk, "buildStructEvent", new { category = "c", action = "tock" });
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

    [Fact]
    public async Task An_event_that_is_refused_is_told_to_the_program_and_never_sent_again()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        await using var sdk = await NodeSdk.Start(shared.App.Port, "shop", Script);
        for (var i = 0; i < 10; i++)
            await Track(sdk, "buildStructEvent",
                new { category = "c", action = i == 5 ? new string('x', 300) : "fine" });
        Assert.InRange((await sdk.Close())["failed"].Count(), 1, 10); // the tracker only knows about whole batches
        Assert.Equal(9, await shared.Rows(visitor));
    }

    private Task Track(NodeSdk sdk, string builder, object @event, params object[] context) =>
        sdk.Call(builder, new { @event, context, visitor });

    private static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
