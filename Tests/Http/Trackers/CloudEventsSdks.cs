using System.Net.Mime;
using CloudNative.CloudEvents;
using CloudNative.CloudEvents.Http;
using CloudNative.CloudEvents.SystemTextJson;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Trackers;

/// <summary>The SDKs of CloudEvents from npm and NuGet, pointed at Tally: each event sent is counted once.</summary>
[Collection<SharedApp>]
public sealed class CloudEventsSdks(SharedApps apps)
{
    private const string Script = "cloudevents.js";

    private readonly string visitor = "visitor-" + Guid.NewGuid();

    [Theory, EachStorage]
    public async Task The_sdk_for_node_sends_in_each_content_mode(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        await using var sdk = await NodeSdk.Start(app.Port, "", Script);
        var happened = DateTime.UtcNow.AddDays(-3);
        object Event(string id) => new
        {
            id, source = "https://shop.example/orders", type = "order.paid", subject = visitor, time = happened,
            tenant = "north", data = new { total = 9.5, text = "Käse \"x\"" },
        };
        await sdk.Call("binary", Event("e-1"));
        await sdk.Call("structured", Event("e-2"));
        await sdk.Call("batch", new[] { Event("e-1"), Event("e-2"), Event("e-3") });
        Assert.Equal(5, (await sdk.Close())["delivered"].Count());
        await AssertEvents(app, 3, happened);
    }

    [Theory, EachStorage]
    public async Task The_sdk_for_dotnet_sends_in_each_content_mode(StorageKind storage)
    {
        var (app, _) = await apps.On(storage);
        var happened = DateTime.UtcNow.AddDays(-3);
        var format = new JsonEventFormatter();
        CloudEvent Event(string id)
        {
            var one = new CloudEvent(CloudEventsSpecVersion.V1_0)
            {
                Id = id, Source = new("https://shop.example/orders"), Type = "order.paid", Subject = visitor,
                Time = happened, DataContentType = MediaTypeNames.Application.Json,
                Data = new { total = 9.5, text = "Käse \"x\"" },
            };
            one["tenant"] = "north";
            return one;
        }
        CloudEvent[] batch = [Event("e-1"), Event("e-2"), Event("e-3")];
        foreach (var content in (HttpContent[])
                 [
                     Event("e-1").ToHttpContent(ContentMode.Binary, format),
                     Event("e-2").ToHttpContent(ContentMode.Structured, format), batch.ToHttpContent(format),
                 ])
            Assert.Equal(200, (await app.Send(new(HttpMethod.Post, "/api/cloudevents") { Content = content })).Status);
        await AssertEvents(app, 3, happened);
    }

    [Fact]
    public async Task A_server_that_dies_and_comes_back_has_every_event_once()
    {
        const int each = 200;
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, apps.Server);
        var app = await AppProcess.Start(database);
        await using var sdk = await NodeSdk.Start(app.Port, "", Script);
        async Task Send(string type, string mode)
        {
            for (var i = 0; i < each; i++)
                await sdk.Call(mode,
                    new { id = $"{type}-{i}", source = "/shop", type, subject = $"{visitor}-{i % 7}" });
        }
        await Send("tick", "structured");
        await Eventually.True(async () => await Rows(database) > 0, "Nothing is recorded.");
        await app.Kill();
        await Send("tock", "binary");
        await app.DisposeAsync();
        await using (app = await AppProcess.Start(database, AppProcess.ClusterOfItsOwn(), app.Port))
        {
            Assert.Equal(2 * each, (await sdk.Close())["delivered"].Distinct().Count());
            Assert.Equal(2 * each, await Rows(database));
            Assert.Equal(0, await app.Terminate());
        }
        await AppProcess.AssertVerifies(database);
    }

    private async Task AssertEvents(AppProcess app, int count, DateTime happened)
    {
        var events = (await app.Get(Requests.Path(visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .ToList();
        Assert.Equal(count, events.Count);
        Assert.All(events, one =>
        {
            Assert.Equal(("order.paid", "https://shop.example/orders"),
                (one.GetProperty("action").GetString(), one.GetProperty("product").GetString()));
            Assert.Equal(happened, one.GetProperty("occurred").GetDateTime(), TimeSpan.FromMilliseconds(2));
            var properties = one.GetProperty("properties");
            Assert.Equal((9.5, "Käse \"x\"", "north"), (properties.GetProperty("total").GetDouble(),
                properties.GetProperty("text").GetString(), properties.GetProperty("tenant").GetString()));
            Assert.Equal(3, properties.EnumerateObject().Count());
        });
    }

    private static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
