using Tally.Tests.Harness;

namespace Tally.Tests.Http.Webhooks;

/// <summary>POST /api/rules/{name}/test and /secret, and who may send them.</summary>
public sealed class Samples(PostgresServer server)
{
    [Theory, EachStorage]
    public async Task A_sample_is_sent_now_and_its_answer_told(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        var secret = (await silo.PutWebhookRule("bought", receiver.Url))!;
        var answer = await silo.PostEmpty("/api/rules/bought/test");
        Assert.Equal((200, true, 200), (answer.Status, answer.Body.GetProperty("delivered").GetBoolean(),
            answer.Body.GetProperty("status").GetInt32()));
        Assert.InRange(answer.Body.GetProperty("milliseconds").GetInt64(), 0, 20_000);
        var sample = Assert.Single(receiver.All);
        Assert.StartsWith("fir_test_", sample.Id);
        Assert.Equal((sample.Id, sample.Id), (answer.Text("id"), sample.Data.GetProperty("id").GetString()));
        Assert.Equal("valid rule.fired", Assert.Single(await WebhookVerifier.Verify((secret, sample))));
        receiver.Answer = WebhookReceiver.Status(404);
        answer = await silo.PostEmpty("/api/rules/bought/test");
        Assert.Equal((200, false, "answered 404"),
            (answer.Status, answer.Body.GetProperty("delivered").GetBoolean(), answer.Text("problem")));
        Assert.Empty(await silo.Firings("rule=bought"));
    }

    [Theory, EachStorage]
    public async Task Samples_are_few_and_need_a_rule_with_a_webhook(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        await silo.PutWebhookRule("bought", receiver.Url);
        Assert.Equal(201, (await silo.Send(new(HttpMethod.Put, "/api/rules/silent")
        {
            Content = new StringContent(
                """{"when":{"event":{"product":"k8s","action":"buy"},"count":"first"},"how":"once"}""",
                System.Text.Encoding.UTF8, "application/json"),
        })).Status);
        foreach (var what in (string[])["test", "secret"])
        {
            (await silo.PostEmpty($"/api/rules/nobody/{what}")).AssertRefused(404, "unknown_rule", "name");
            (await silo.PostEmpty($"/api/rules/silent/{what}")).AssertRefused(409, "no_webhook");
            (await silo.PostEmpty($"/api/rules/a.b/{what}")).AssertRefused(422, "unknown_value", "name");
        }
        (await silo.PostEmpty("/api/firings/replay")).AssertRefused(422, "missing_field", "rule");
        (await silo.PostEmpty("/api/firings/replay?rule=silent")).AssertRefused(409, "no_webhook");
        (await silo.PostEmpty("/api/firings/replay?rule=bought&state=pending")).AssertRefused(422, "unknown_value",
            "state");
        for (var i = 0; i < 8; i++) Assert.Equal(200, (await silo.PostEmpty("/api/rules/bought/test")).Status);
        var refused = await silo.PostEmpty("/api/rules/bought/test");
        refused.AssertRefused(429, "too_many_requests");
        Assert.Equal(TimeSpan.FromSeconds(60), refused.Headers.RetryAfter!.Delta);
        Assert.Equal(8, receiver.All.Count);
    }

    [Theory, EachStorage]
    public async Task Many_changes_of_the_secret_leave_the_last_few(StorageKind storage)
    {
        await using var at = await TestDatabase.Create(storage, server);
        await using var silo = await RunningSilo.Start(at, new());
        await using var receiver = await WebhookReceiver.Start();
        var secrets = new List<string> { (await silo.PutWebhookRule("bought", receiver.Url))! };
        for (var i = 0; i < 6; i++)
        {
            var answer = await silo.PostEmpty("/api/rules/bought/secret");
            Assert.True(answer.Headers.CacheControl!.NoStore);
            secrets.Add(answer.Text("secret")!);
        }
        Assert.Equal(7, secrets.Distinct().Count());
        await silo.PostEmpty("/api/rules/bought/test");
        var said = await WebhookVerifier.Verify([.. secrets.Select(secret => (secret, receiver.All[0]))]);
        Assert.Equal(["refused", "refused", .. Enumerable.Repeat("valid rule.fired", 5)], said);
        await at.Execute(storage == StorageKind.Sqlite
            ? "update rule_secrets set expires = strftime('%Y-%m-%dT%H:%M:%f000Z', 'now') where expires is not null"
            : "update rule_secrets set expires = now() where expires is not null");
        await silo.PostEmpty("/api/rules/bought/test");
        Assert.Single(receiver.All[1].Headers["webhook-signature"].Split(' '));
    }

    [Fact]
    public async Task Only_a_rule_key_may_do_any_of_it()
    {
        await using var at = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(at, new()
        {
            ["APP_READ_KEYS"] = "reader-0123456789abcdef", ["APP_WRITE_KEYS"] = "writer-0123456789abcdef",
            ["APP_RULE_KEYS"] = "ruler-0123456789abcdef",
        });
        foreach (var path in (string[])["/api/rules/bought/test", "/api/rules/bought/secret",
            "/api/firings/replay?rule=bought"])
            foreach (var (key, status) in ((string?, int)[])
                [(null, 401), ("other-0123456789abcdef", 401), ("writer-0123456789abcdef", 403),
                    ("reader-0123456789abcdef", 403), ("ruler-0123456789abcdef", 404)])
            {
                var asked = new HttpRequestMessage(HttpMethod.Post, path);
                if (key is not null) asked.Headers.Authorization = new("Bearer", key);
                Assert.Equal(status, (await app.Send(asked)).Status);
            }
    }
}
