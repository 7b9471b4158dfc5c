using System.Globalization;
using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>What becomes of a firing that its receiver does not take.</summary>
public sealed class Retrying(PostgresServer server)
{
    private const string ManyTries = "0,0,0,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1";

    [Theory, EachStorage]
    public async Task It_is_sent_again_with_the_same_id_until_it_is_taken(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at,
            new() { WebhookRetrySeconds = ManyTries, WebhookTrySecondsMax = 1 });
        var port = FreePort.Next();
        await silo.PutWebhookRule("bought", $"http://127.0.0.1:{port}/hook");
        await silo.Buy("a");
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0].Problem()
            == "the connection was refused", "It is not refused.");
        await using var receiver = await WebhookReceiver.Start(port);
        receiver.Answer = WebhookReceiver.Hang;
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0].Problem() == "no answer in time",
            "It does not time out.");
        receiver.Answer = WebhookReceiver.Status(500);
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0] is var one
            && (one.Status(), one.Problem()) == (500, "answered 500"), "It does not fail.");
        receiver.Answer = (context, _) =>
        {
            context.Abort();
            return Task.CompletedTask;
        };
        await Eventually.True(async () => (await silo.Firings("rule=bought"))[0].Problem()
            == "the connection broke off", "It does not break off.");
        receiver.Answer = WebhookReceiver.Status(202);
        var firing = (await silo.HasFirings("bought", "delivered"))[0];
        Assert.Equal((202, null), (firing.Status(), firing.Problem()));
        Assert.InRange(firing.GetProperty("attempts").GetInt32(), 5, 20);
        Assert.Single(receiver.All.Select(got => got.Id).Distinct());
    }

    [Theory, EachStorage]
    public async Task After_the_last_try_it_is_parked_and_can_be_replayed(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at,
            new() { WebhookRetrySeconds = "0,0", ReplayFiringsMax = 2 });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = WebhookReceiver.Status(500);
        await silo.PutWebhookRule("bought", receiver.Url);
        foreach (var fingerprint in (string[])["a", "b", "c"]) await silo.Buy(fingerprint);
        var parked = await silo.HasFirings("bought", "parked", 3);
        Assert.Equal(9, receiver.All.Count);
        Assert.All(parked, one => Assert.Equal((500, 3), (one.Status(), one.GetProperty("attempts").GetInt32())));

        receiver.Answer = WebhookReceiver.Status(200);
        Assert.Equal((1, false), await Replay(silo, "rule=bought&fingerprint=b"));
        await silo.HasFirings("bought", "delivered");
        Assert.Equal("b", receiver.All[^1].Fingerprint);
        Assert.Equal((2, true), await Replay(silo, "rule=bought&state=parked"));
        await silo.HasFirings("bought", "delivered", 3);
        Assert.Equal((0, false), await Replay(silo, "rule=bought"));
        Assert.Equal((1, false), await Replay(silo, "rule=bought&state=delivered&fingerprint=a"));
        await receiver.Has(13);
        await silo.HasFirings("bought", "delivered", 3);
        Assert.Equal(3, receiver.All.Select(got => got.Id).Distinct().Count());
    }

    [Theory, EachStorage]
    public async Task In_order_the_next_comes_when_one_is_parked(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "0" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = (context, got) =>
        {
            context.Response.StatusCode = got.Sequence == 2 ? 500 : 200;
            return Task.CompletedTask;
        };
        await silo.PutWebhookRule("bought", receiver.Url, ordered: true);
        await silo.Buy("a", 6);
        await silo.HasFirings("bought", "delivered", 2);
        Assert.Equal(2, (await silo.HasFirings("bought", "parked"))[0].GetProperty("sequence").GetInt64());
        Assert.Equal([2L, 2L, 4L, 6L], receiver.All.Select(got => got.Sequence));
    }

    [Theory, EachStorage]
    public async Task A_receiver_says_when_it_wants_the_next_try(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "0,0" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = (context, got) =>
        {
            context.Response.StatusCode = 429;
            context.Response.Headers.RetryAfter = got.Fingerprint switch
            {
                "seconds" => "3600",
                "date" => DateTime.UtcNow.AddHours(2).ToString("R", CultureInfo.InvariantCulture),
                "long" => "31536000",
                _ => "tomorrow",
            };
            return Task.CompletedTask;
        };
        await silo.PutWebhookRule("bought", receiver.Url);
        var begun = DateTime.UtcNow;
        foreach (var fingerprint in (string[])["seconds", "date", "long", "odd"]) await silo.Buy(fingerprint);
        Assert.Equal("odd", (await silo.HasFirings("bought", "parked"))[0].GetProperty("fingerprint").GetString());
        await Eventually.True(async () => (await silo.Firings("rule=bought&state=pending"))
            .Count(one => one.GetProperty("attempts").GetInt32() == 1) == 3, "Not all were tried.");
        var next = (await silo.Firings("rule=bought&state=pending")).ToDictionary(
            one => one.GetProperty("fingerprint").GetString()!,
            one => (one.GetProperty("nextAttempt").GetDateTime() - begun).TotalHours);
        Assert.InRange(next["seconds"], 0.99, 1.3);
        Assert.InRange(next["date"], 1.9, 2.4);
        Assert.InRange(next["long"], 23.9, 26.6);
    }

    [Theory, EachStorage]
    public async Task A_redirect_is_a_failure_and_nothing_follows_it(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "0" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = (context, _) =>
        {
            context.Response.StatusCode = 307;
            context.Response.Headers.Location = $"http://127.0.0.1:{receiver.Port}/elsewhere";
            return Task.CompletedTask;
        };
        await silo.PutWebhookRule("bought", receiver.Url);
        await silo.Buy("a");
        var parked = (await silo.HasFirings("bought", "parked"))[0];
        Assert.Equal((307, "answered 307; redirects are not followed"), (parked.Status(), parked.Problem()));
        Assert.Equal(["/hook", "/hook"], receiver.All.Select(got => got.Path));
    }

    [Theory, EachStorage]
    public async Task Who_answers_410_gets_no_more_until_the_rule_is_another(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "3600" });
        await using var receiver = await WebhookReceiver.Start();
        await silo.PutWebhookRule("bought", receiver.Url);
        receiver.Answer = WebhookReceiver.Status(500);
        await silo.Buy("a");
        await receiver.Has(1);
        receiver.Answer = WebhookReceiver.Status(410);
        await silo.Buy("b");
        await silo.HasFirings("bought", "parked", 2); // the one that would have been tried in an hour, too
        Assert.Equal(JsonValueKind.String,
            (await silo.Get("/api/rules/bought")).Body.GetProperty("disabled").ValueKind);
        receiver.Answer = WebhookReceiver.Status(200);
        await silo.Buy("c");
        await silo.HasFirings("bought", "parked", 3);
        Assert.Equal(2, receiver.All.Count);
        (await silo.PostEmpty("/api/firings/replay?rule=bought")).AssertRefused(409, "rule_disabled");

        await silo.PutWebhookRule("bought", receiver.Url + "&new=1");
        await silo.Buy("d");
        await silo.HasFirings("bought", "delivered");
        Assert.Equal((3, false), await Replay(silo, "rule=bought"));
        await silo.HasFirings("bought", "delivered", 4);
        Assert.Equal(["a", "b", "c"], receiver.All.TakeLast(3).Select(got => got.Fingerprint).Order());
        Assert.Equal([1, 1, 1], receiver.All.TakeLast(3).Select(got => got.Data.GetProperty("version").GetInt32()));
    }

    [Theory, EachStorage]
    public async Task Firings_of_a_rule_that_is_removed_are_parked(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "3600" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = WebhookReceiver.Status(500);
        await silo.PutWebhookRule("bought", receiver.Url);
        await silo.Buy("a");
        await receiver.Has(1);
        Assert.Equal(200, (await silo.Send(new(HttpMethod.Delete, "/api/rules/bought"))).Status);
        Assert.Equal("the rule was removed", (await silo.HasFirings("bought", "parked"))[0].Problem());
        (await silo.PostEmpty("/api/firings/replay?rule=bought")).AssertRefused(404, "unknown_rule", "name");
        receiver.Answer = WebhookReceiver.Status(200);
        Assert.NotNull(await silo.PutWebhookRule("bought", receiver.Url)); // its secret is gone, too
        Assert.Equal((1, false), await Replay(silo, "rule=bought"));
        await silo.HasFirings("bought", "delivered");
    }

    private static async Task<(int Replayed, bool More)> Replay(IServing silo, string query)
    {
        var answer = await silo.PostEmpty("/api/firings/replay?" + query);
        Assert.Equal(200, answer.Status);
        return (answer.Body.GetProperty("replayed").GetInt32(), answer.Body.GetProperty("more").GetBoolean());
    }
}
