using System.Text.Json;
using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>Firings as their receiver gets them.</summary>
public sealed class Delivering(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_firing_is_delivered_and_says_what_happened(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        Assert.StartsWith("whsec_", await silo.PutWebhookRule("bought", receiver.Url));
        await silo.Buy("Jörg \\\"7\\\"");
        var firing = (await silo.HasFirings("bought", "delivered"))[0];
        Assert.Equal((200, 1, null), (firing.Status(), firing.GetProperty("attempts").GetInt32(), firing.Problem()));
        Assert.Equal(JsonValueKind.String, firing.GetProperty("ended").ValueKind);

        var got = Assert.Single(receiver.All);
        Assert.Equal(("POST", "/hook", "application/json"), (got.Method, got.Path, got.Headers["content-type"]));
        Assert.Equal(firing.GetProperty("id").GetString(), got.Id);
        Assert.All((string[])["cookie", "authorization", "traceparent", "expect"],
            name => Assert.False(got.Headers.ContainsKey(name), name));
        var body = JsonSerializer.Deserialize<JsonElement>(got.Body);
        Assert.Equal("rule.fired", body.GetProperty("type").GetString());
        Assert.InRange(body.GetProperty("timestamp").GetDateTime(), DateTime.UtcNow.AddMinutes(-10), DateTime.UtcNow);
        Assert.Equal((got.Id, "bought", 1, "Jörg \"7\"", 1L, "k8s", "buy"), (got.Data.GetProperty("id").GetString(),
            got.Data.GetProperty("rule").GetString(), got.Data.GetProperty("version").GetInt32(), got.Fingerprint,
            got.Sequence, got.Data.GetProperty("product").GetString(), got.Data.GetProperty("action").GetString()));
        Assert.Equal("""{"plan":"pro"}""", got.Data.GetProperty("properties").GetRawText());
        Assert.Equal(firing.GetProperty("occurred").GetDateTime(), got.Data.GetProperty("occurred").GetDateTime());
        Assert.True(got.Data.GetProperty("eventId").TryGetGuid(out _));
    }

    [Theory, EachStorage]
    public async Task Another_implementation_verifies_the_signature_and_no_tampered_body(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        var secret = (await silo.PutWebhookRule("bought", receiver.Url))!;
        Assert.Null(await silo.PutWebhookRule("bought", receiver.Url)); // told once
        Assert.Null(await silo.PutWebhookRule("bought", receiver.Url + "&x=1"));
        await silo.Buy("a");
        await silo.HasFirings("bought", "delivered");
        var first = receiver.All[0];
        var newer = (await silo.PostEmpty("/api/rules/bought/secret")).Text("secret")!;
        await silo.Buy("b");
        await silo.HasFirings("bought", "delivered", 2);
        var second = receiver.All[1];
        Assert.Single(first.Headers["webhook-signature"].Split(' '));
        Assert.Equal(2, second.Headers["webhook-signature"].Split(' ').Length);

        Received With(string name, string value) =>
            first with { Headers = new Dictionary<string, string>(first.Headers) { [name] = value } };
        var seconds = long.Parse(first.Headers["webhook-timestamp"]);
        var said = await WebhookVerifier.Verify((secret, first), (newer, first),
            (secret, first with { Body = first.Body.Replace("\"fingerprint\":\"a\"", "\"fingerprint\":\"c\"") }),
            (secret, With("webhook-id", second.Id)), (secret, With("webhook-timestamp", $"{seconds + 1}")),
            (secret, With("webhook-signature", second.Headers["webhook-signature"])), (secret, second),
            (newer, second));
        Assert.Equal(
            ["valid rule.fired", "refused", "refused", "refused", "refused", "refused", "valid rule.fired",
                "valid rule.fired"], said);
    }

    [Theory, EachStorage]
    public async Task Of_an_event_that_is_gone_it_says_what_is_left(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "0,0,0,0,0,0,0,0,0,3600" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = WebhookReceiver.Status(503);
        await silo.PutWebhookRule("bought", receiver.Url);
        await silo.Buy("a");
        await receiver.Has(1);
        await at.Execute("delete from events where fingerprint = 'a'");
        receiver.Answer = WebhookReceiver.Status(200);
        await silo.HasFirings("bought", "delivered");
        var data = receiver.All[^1].Data;
        Assert.Equal(receiver.All[0].Id, receiver.All[^1].Id);
        Assert.Equal(["id", "rule", "version", "fingerprint", "sequence", "occurred"],
            data.EnumerateObject().Select(member => member.Name));
    }

    [Theory, EachStorage]
    public async Task Firings_of_one_fingerprint_come_in_order_where_that_is_asked(StorageKind storage)
    {
        const int fingerprints = 4, each = 8;
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at,
            new() { WebhookRetrySeconds = string.Join(',', Enumerable.Repeat("0", 20)), WebhookTriesPerHostMax = 8 });
        await using var receiver = await WebhookReceiver.Start();
        var (random, taken) = (new Random(Seed.Next()), new List<(string Fingerprint, long Sequence)>());
        var running = new HashSet<string>();
        var overlapping = false;
        receiver.Answer = async (context, got) =>
        {
            bool fails;
            lock (taken)
            {
                overlapping |= !running.Add(got.Fingerprint);
                fails = random.Next(3) == 0;
            }
            await Task.Yield();
            lock (taken)
            {
                running.Remove(got.Fingerprint);
                if (!fails) taken.Add((got.Fingerprint, got.Sequence));
            }
            context.Response.StatusCode = fails ? 500 : 204;
        };
        await silo.PutWebhookRule("bought", receiver.Url, ordered: true);
        await Task.WhenAll(Enumerable.Range(0, fingerprints).Select(i => silo.Buy($"f{i}", 2 * each)));
        await silo.HasFirings("bought", "delivered", fingerprints * each);
        Assert.False(overlapping);
        foreach (var one in taken.GroupBy(got => got.Fingerprint))
            Assert.Equal(Enumerable.Range(1, each).Select(i => 2L * i), one.Select(got => got.Sequence));
    }

    [Theory, EachStorage]
    public async Task What_waits_for_one_that_fails_does_not_hold_up_other_fingerprints(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new() { WebhookRetrySeconds = "3600" });
        await using var receiver = await WebhookReceiver.Start();
        receiver.Answer = (context, got) =>
        {
            context.Response.StatusCode = got.Fingerprint == "bad" ? 500 : 200;
            return Task.CompletedTask;
        };
        await silo.PutWebhookRule("bought", receiver.Url, ordered: true);
        await silo.Buy("bad", 80);
        await silo.Buy("good", 8);
        await silo.HasFirings("bought", "delivered", 4);
        Assert.Equal(40, (await silo.HasFirings("bought", "pending", 40)).Count);
        Assert.Equal([2L], receiver.All.Where(got => got.Fingerprint == "bad").Select(got => got.Sequence));
    }

    [Theory, EachStorage]
    public async Task A_receiver_that_never_answers_slows_no_other_and_no_event(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var slow = await WebhookReceiver.Start();
        await using var fast = await WebhookReceiver.Start();
        slow.Answer = WebhookReceiver.Hang;
        await silo.PutWebhookRule("slow", slow.Url);
        await silo.PutWebhookRule("fast", fast.Url);
        for (var i = 0; i < 40; i++) await silo.Buy($"f{i}");
        await silo.HasFirings("fast", "delivered", 40);
        Assert.InRange(slow.RunningMost, 1, 4);
        Assert.InRange(fast.RunningMost, 1, 4);
        Assert.Equal(40, (await silo.Firings("rule=slow&state=pending")).Count);
    }
}
