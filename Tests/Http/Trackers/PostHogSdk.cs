using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>PostHog's SDK for servers, from npm, pointed at Tally: each event sent is counted once.</summary>
[Collection<SharedApp>]
public sealed class PostHogSdk(SharedApps apps)
{
    private const string Script = "posthog.js";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task Each_kind_of_message_is_an_event(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var sdk = await NodeSdk.Start(app.Port, "phc_shop", Script);
        var happened = DateTime.UtcNow.AddDays(-3);
        await sdk.Call("capture", new
        {
            distinctId = visitor, @event = "order paid", timestamp = happened.ToString("O"),
            properties = new { total = 9.5, text = "Käse \"x\"" }, groups = new { company = "acme" },
        });
        await sdk.Call("capture", new
        {
            distinctId = visitor, @event = "$pageview",
            properties = new Dictionary<string, object> { ["$current_url"] = "https://shop.example/docs?utm_source=x" },
        });
        await sdk.Call("identify", new { distinctId = visitor, properties = new { plan = "pro" } });
        await sdk.Call("alias", new { distinctId = visitor, alias = "other" });
        Assert.Equal(4, (await sdk.Close())["delivered"].Distinct().Count());

        var events = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .ToDictionary(one => one.GetProperty("action").GetString()!);
        Assert.Equal(["$create_alias", "$identify", "order paid", "view"], events.Keys.Order(StringComparer.Ordinal));
        Assert.All(events.Values, one => Assert.Equal("phc_shop", one.GetProperty("product").GetString()));
        Assert.Equal((9.5, "Käse \"x\"", "acme"), (Of("order paid", "total").GetDouble(),
            Of("order paid", "text").GetString(), Of("order paid", "$groups").GetProperty("company").GetString()));
        Assert.Equal(("/docs", "x"), (Of("view", "path").GetString(), Of("view", "utm_source").GetString()));
        Assert.Equal("pro", Of("$identify", "$set").GetProperty("plan").GetString());
        Assert.Equal("other", Of("$create_alias", "alias").GetString());
        Assert.InRange(events["order paid"].GetProperty("occurred").GetDateTime(), happened.AddSeconds(-1),
            happened.AddMinutes(1));

        JsonElement Of(string action, string name) => events[action].GetProperty("properties").GetProperty(name);
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once()
    {
        const int each = 300;
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        var app = await AppProcess.Start(database);
        await using var sdk = await NodeSdk.Start(app.Port, "phc_shop", Script);
        async Task Send(string name)
        {
            for (var i = 0; i < each; i++)
                await sdk.Call("capture",
                    new { distinctId = $"{visitor}-{i % 7}", @event = name, properties = new { i } });
        }
        await Send("tick");
        await Eventually.True(async () => await Rows(database) > 0, "Nothing is recorded.");
        await app.Kill(); // in the middle, so that some are recorded but their answers lost
        await Send("tock");
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
    public async Task An_event_that_is_refused_is_told_to_the_program_and_the_others_count()
    {
        var shared = await apps.On(StorageKind.Sqlite);
        await using var sdk = await NodeSdk.Start(shared.App.Port, "phc_shop", Script);
        for (var i = 0; i < 10; i++)
            await sdk.Call("capture", new
            {
                distinctId = visitor, @event = "fine", properties = new { text = new string('x', i == 5 ? 40_000 : 5) },
            });
        Assert.Equal(["400"], (await sdk.Close())["failed"].Distinct());
        Assert.Equal(9, await shared.Rows(visitor));
    }

    private static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
