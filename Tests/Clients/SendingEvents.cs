using System.Net;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Tally.Tests.Harness;

namespace Tally.Tests.Clients;

/// <summary>
/// What each of Tally's own clients does, in a program that has installed its package: every event that it has taken is
/// counted once, or told to be refused or dropped.
/// </summary>
public abstract class SendingEvents(PostgresServer server)
{
    private const string Product = "shop";
    private static readonly int[] List = [1];

    /// <summary>A fingerprint that only this test has.</summary>
    protected string Visitor { get; } = "visitor-" + Guid.NewGuid();
    private readonly int port = FreePort.Next();

    /// <summary>How to start the program.</summary>
    protected abstract Task<string[]> Program();

    [Fact]
    public Task An_event_is_recorded_as_it_was_tracked() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient();
        var happened = DateTime.UtcNow.AddDays(-3);
        var before = DateTime.UtcNow;
        var properties = new { total = 9.5, text = "Käse \"x\"\n😀", deep = List };
        await client.Track("order paid", Visitor, "order-17", properties, happened, "other");
        await client.Track("view", Visitor);
        await client.Flush();
        await client.Track("order paid", Visitor, "order-17", properties, happened, "other");
        Assert.Equal(new(3, 0, 0, 0), await client.Close());

        var events = (await app.Get(Requests.Path(Visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .ToDictionary(one => one.GetProperty("action").GetString()!);
        Assert.Equal(["order paid", "view"], events.Keys.Order());
        var (paid, view) = (events["order paid"], events["view"]);
        Assert.Equal(("other", Product), (paid.GetProperty("product").GetString(),
            view.GetProperty("product").GetString()));
        Assert.True(JsonElement.DeepEquals(
            JsonSerializer.SerializeToElement(properties), paid.GetProperty("properties")));
        Assert.Equal(happened, paid.GetProperty("occurred").GetDateTime(), TimeSpan.FromMilliseconds(2));
        Assert.InRange(view.GetProperty("occurred").GetDateTime(), before.AddSeconds(-1), DateTime.UtcNow);
        Assert.False(view.TryGetProperty("properties", out _));
        Assert.Equal(2, await Rows(database)); // the repeat counts once
    });

    [Fact]
    public Task A_server_that_dies_and_comes_back_has_every_event_once() => WithDatabase(async database =>
    {
        const int each = 600;
        var app = await StartApp(database);
        await using var client = await StartClient(new() { ["batchEventsMax"] = 20, ["batchDelay"] = 1 });
        for (var i = 0; i < each; i++) await client.Track("tick", $"{Visitor}-{i % 7}", properties: new { i });
        await Eventually.True(async () => await Rows(database) > 0, "Nothing is recorded.");
        await app.Kill(); // in the middle, so that some are recorded but their answers lost
        await app.DisposeAsync();
        for (var i = 0; i < each; i++) await client.Track("tock", $"{Visitor}-{i % 7}", properties: new { i });
        await using (app = await StartApp(database))
        {
            Assert.Equal(new(2 * each, 0, 0, 0), await client.Close());
            Assert.Equal(2 * each, await Rows(database));
            Assert.Equal(0, await app.Terminate());
        }
    });

    [Fact]
    public Task What_is_tracked_while_nothing_answers_is_sent_once_something_does() => WithDatabase(async database =>
    {
        await using var client = await StartClient();
        var before = DateTime.UtcNow;
        for (var i = 0; i < 50; i++) await client.Track("view", Visitor, properties: new { i });
        Assert.Equal(new(0, 0, 0, 50), await client.Figures());
        await using var app = await StartApp(database);
        var after = DateTime.UtcNow;
        await client.Flush();
        Assert.Equal(new(50, 0, 0, 0), await client.Figures());
        var events = (await app.Get(Requests.Path(Visitor) + "/events")).Body.GetProperty("events").EnumerateArray();
        Assert.All(events,
            one => Assert.InRange(one.GetProperty("occurred").GetDateTime(), before.AddSeconds(-1), after));
        Assert.Equal(50, await Rows(database));
    });

    [Fact]
    public Task What_waits_in_the_queue_folder_survives_the_program() => WithDatabase(async database =>
    {
        var folder = Directory.CreateTempSubdirectory("tally-queue-").FullName;
        var settings = new Dictionary<string, object?> { ["queueFolder"] = folder };
        try
        {
            await using (var client = await StartClient(settings))
            {
                await using (var app = await StartApp(database))
                {
                    for (var i = 0; i < 20; i++) await client.Track("first", Visitor, properties: new { i });
                    await client.Flush();
                    await app.Kill();
                }
                for (var i = 0; i < 30; i++) await client.Track("second", Visitor, $"own-{i}", new { i });
                Assert.Equal(30, (await client.Figures()).Waiting);
                await client.Kill();
            }
            // A program that has died in the middle of a write leaves part of a line.
            var newest = Directory.GetFiles(folder, "*.ndjson").Order().Last();
            await File.AppendAllTextAsync(newest, """{"action":"torn","fingerprint":"f","id":"to""");
            await using (var client = await StartClient(settings))
            {
                await client.Track("third", Visitor);
                Assert.Equal(31, (await client.Close()).Waiting); // it tries once, and leaves them
            }
            await using (var app = await StartApp(database))
            await using (var client = await StartClient(settings))
            {
                await client.Flush();
                Assert.Equal(new(31, 0, 0, 0), await client.Close());
            }
            Assert.Equal(51, await Rows(database));
            Assert.All(Directory.GetFiles(folder), file => Assert.Equal(0, new FileInfo(file).Length));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    [Fact]
    public Task What_waits_in_the_queue_folder_is_never_too_much_for_the_next_start() => WithDatabase(async database =>
    {
        var folder = Directory.CreateTempSubdirectory("tally-queue-").FullName;
        try
        {
            await using (var client = await StartClient(new() { ["queueFolder"] = folder }))
            {
                for (var i = 0; i < 40; i++) await client.Track("view", Visitor, properties: new { i });
                Assert.Equal(40, (await client.Figures()).Waiting);
                await client.Kill();
            }
            await using (var client = await StartClient(new() { ["queueFolder"] = folder, ["queueEventsMax"] = 5 }))
            {
                Assert.Equal(new(0, 0, 0, 40), await client.Figures());
                await using var app = await StartApp(database);
                Assert.Equal(new(40, 0, 0, 0), await client.Close());
            }
            Assert.Equal(40, await Rows(database));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    });

    [Fact]
    public Task Large_events_are_flushed_one_request_after_the_other() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient(new() { ["batchDelay"] = 3_600_000 });
        for (var i = 0; i < 70; i++)
            await client.Track("view", Visitor, properties: new { i, text = new string('x', 30_000) });
        await client.Flush();
        Assert.Equal(new(70, 0, 0, 0), await client.Figures());
        Assert.Equal(70, await Rows(database));
    });

    [Fact]
    public Task A_refused_key_is_told_and_nothing_waits() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database, new() { ["APP_WRITE_KEYS"] = "right-0123456789abcdef" });
        await using (var wrong = await StartClient(new() { ["key"] = "wrong-0123456789abcdef" }))
        {
            for (var i = 0; i < 10; i++) await wrong.Track("view", Visitor, $"id-{i}");
            Assert.Equal(new(0, 10, 0, 0), await wrong.Close());
            Assert.Equal(Enumerable.Range(0, 10).Select(i => (401, "unknown_key", $"id-{i}")),
                wrong.Refused.Select(one => (one.Status, one.Reason, one.Id)));
            Assert.DoesNotContain("wrong-0123456789abcdef", wrong.Log);
        }
        await using var right = await StartClient(new() { ["key"] = "right-0123456789abcdef" });
        await right.Track("view", Visitor);
        Assert.Equal(new(1, 0, 0, 0), await right.Close());
    });

    [Fact]
    public Task A_refused_event_is_told_and_the_others_count() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient();
        for (var i = 0; i < 10; i++)
            await client.Track("fine", Visitor, $"id-{i}", new { text = new string('x', i == 5 ? 40_000 : 5) });
        await client.Track("", Visitor, "empty");
        await client.Track("other", Visitor, "id-1");
        await client.Track("large", Visitor, "large", new { text = new string('x', 100_000) });
        await client.Track("array", Visitor, "array", List);
        Assert.Equal(new(9, 5, 0, 0), await client.Close());
        Assert.Equal([(422, "invalid_properties", "array"), (422, "missing_field", "empty"),
            (409, "id_conflict", "id-1"), (422, "too_long", "id-5"), (413, "body_too_large", "large")],
            client.Refused.Select(one => (one.Status, one.Reason, one.Id)).OrderBy(one => one.Id));
        Assert.Contains("\"other\"", client.Refused.Single(one => one.Id == "id-1").Event);
        Assert.Equal(9, await Rows(database));
    });

    [Theory, InlineData("newest"), InlineData("oldest")]
    public Task A_full_queue_drops_what_it_says_and_counts_it(string whenFull) => WithDatabase(async database =>
    {
        await using var client = await StartClient(new()
        {
            ["queueEventsMax"] = 10, ["batchEventsMax"] = 1, ["whenFull"] = whenFull,
        });
        for (var i = 0; i < 30; i++) await client.Track("view", Visitor, properties: new { i });
        var full = await client.Figures();
        Assert.Equal((0L, 0L, 30L), (full.Recorded, full.Refused, full.Waiting + full.Dropped));
        Assert.InRange(full.Waiting, 10, 11); // one may be on its way
        await using var app = await StartApp(database);
        Assert.Equal(new(full.Waiting, 0, full.Dropped, 0), await client.Close());
        var there = (await app.Get(Requests.Path(Visitor) + "/events")).Body.GetProperty("events").EnumerateArray()
            .Select(one => one.GetProperty("properties").GetProperty("i").GetInt32()).ToList();
        Assert.Equal(full.Waiting, there.Count);
        Assert.Equal(whenFull == "newest" ? Enumerable.Range(0, 10) : Enumerable.Range(20, 10),
            whenFull == "newest" ? there[..10] : there[^10..]);
    });

    [Fact]
    public Task The_end_of_the_program_sends_what_waits() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient(new() { ["batchDelay"] = 3_600_000 });
        for (var i = 0; i < 100; i++) await client.Track("view", Visitor, properties: new { i });
        Assert.Equal(new(100, 0, 0, 0), await client.Close());
        Assert.Equal(100, await Rows(database));
    });

    [Fact]
    public async Task The_end_of_the_program_does_not_wait_for_a_server_beyond_its_time()
    {
        await using var client = await StartClient(new() { ["stopTime"] = 500 });
        for (var i = 0; i < 10; i++) await client.Track("view", Visitor);
        Assert.Equal(new(0, 0, 10, 0), await client.Close());
    }

    [Fact]
    public Task More_requests_than_allowed_are_sent_later() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database, new() { ["Limits__AddressRequestsPerSecondMax"] = "1" });
        await using var client = await StartClient(new() { ["batchEventsMax"] = 1, ["batchDelay"] = 0 });
        for (var i = 0; i < 15; i++) await client.Track("view", Visitor, properties: new { i }); // ten may come at once
        Assert.Equal(new(15, 0, 0, 0), await client.Close());
        Assert.Contains("429 too_many_requests", client.Log, StringComparison.Ordinal);
        Assert.Equal(15, await Rows(database));
    });

    [Fact]
    public Task While_the_database_is_away_events_wait() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database);
        await using var client = await StartClient();
        await using (await database.HoldWrites())
        {
            for (var i = 0; i < 20; i++) await client.Track("view", Visitor, properties: new { i });
            await Eventually.True(() => Task.FromResult(client.Log.Contains("503 ", StringComparison.Ordinal)),
                () => $"No 503: {client.Log}");
        }
        await client.Flush();
        Assert.Equal(new(20, 0, 0, 0), await client.Figures());
        Assert.Equal(20, await Rows(database));
    });

    [Fact]
    public Task A_server_that_takes_smaller_batches_gets_smaller_ones() => WithDatabase(async database =>
    {
        await using var app = await StartApp(database, new() { ["Limits__BatchBodyEventsMax"] = "10" });
        await using var client = await StartClient();
        for (var i = 0; i < 100; i++) await client.Track("view", Visitor, properties: new { i });
        Assert.Equal(new(100, 0, 0, 0), await client.Close());
        Assert.Equal(100, await Rows(database));
    });

    [Fact]
    public Task What_others_than_Tally_answer_loses_nothing() => WithDatabase(async database =>
    {
        await using var client = await StartClient(new() { ["retryDelayMax"] = 50 });
        var (status, asked) = (200, 0);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, port));
        await using (var other = builder.Build())
        {
            other.Run(context =>
            {
                Interlocked.Increment(ref asked);
                (context.Response.StatusCode, context.Response.ContentType) = (status, "text/html");
                if (status == 302) context.Response.Headers.Location = "/login";
                // Tally itself gives a reason where nothing is: the address may have a wrong path.
                return context.Response.WriteAsync(status is 404 or 405 ? """{"reason":"not_found"}"""
                    : "<!doctype html>{\"handled\":1}");
            });
            await other.StartAsync();
            await client.Track("view", Visitor);
            foreach (var answer in (int[])[200, 302, 403, 404, 405, 502])
            {
                (status, asked) = (answer, 0);
                await Eventually.True(() => Task.FromResult(asked > 1), "It does not ask again.");
            }
            Assert.Equal(new(0, 0, 0, 1), await client.Figures());
        }
        await using var app = await StartApp(database);
        Assert.Equal(new(1, 0, 0, 0), await client.Close());
        Assert.Equal(1, await Rows(database));
    });

    protected async Task<ClientProgram> StartClient(Dictionary<string, object?>? settings = null)
    {
        var all = new Dictionary<string, object?>(settings ?? []);
        all.TryAdd("address", $"http://127.0.0.1:{port}");
        all.TryAdd("product", Product);
        all.TryAdd("batchDelay", 20);
        return ClientProgram.Start(await Program(), all);
    }

    protected Task<AppProcess> StartApp(TestDatabase database, Dictionary<string, string>? environment = null)
    {
        var all = AppProcess.ClusterOfItsOwn();
        foreach (var (name, value) in environment ?? []) all[name] = value;
        return AppProcess.Start(database, all, port);
    }

    protected async Task WithDatabase(Func<TestDatabase, Task> use)
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await use(database);
        await AppProcess.AssertVerifies(database);
    }

    protected static async Task<long> Rows(TestDatabase database) =>
        (await database.Query("select count(*) from events", row => row.GetInt64(0)))[0];
}
