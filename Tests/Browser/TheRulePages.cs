using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>Rules on their pages: put in force, told to a receiver, and ended, as the API does it.</summary>
public sealed class TheRulePages(PostgresServer server) : IAsyncDisposable
{
    private const string Reader = "reader-0123456789abcdef", Ruler = "ruler-0123456789abcdef";
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e";

    private static readonly Dictionary<string, string> Loopback = new() { ["APP_WEBHOOK_NETWORKS"] = "127.0.0.0/8" };

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task A_rule_is_put_in_force_fires_tells_its_receiver_and_ends(StorageKind storage)
    {
        await using var receiver = await WebhookReceiver.Start();
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, Loopback);
        var tab = await reader.Open(app, "/rules");
        await tab.SetJavaScriptEnabledAsync(false);
        await Fill(tab, ("name", "pro"), ("product", "shop"), ("action", "buy"), ("property", "plan"), ("is", "pro"),
            ("url", receiver.Url));
        await Click(tab, ".question button");
        Assert.StartsWith("whsec_", await Text(tab, ".made code"));
        Assert.Contains($"It tells 127.0.0.1:{receiver.Port}.", await Text(tab, ".panel"));

        // the same through the API
        var rule = (await app.Get("/api/rules/pro")).Body;
        Assert.Equal((1, receiver.Url), (rule.GetProperty("version").GetInt32(),
            rule.GetProperty("rule").GetProperty("webhook").GetProperty("url").GetString()));

        await Click(tab, "[formaction='/rule/test']");
        Assert.Contains("the receiver answered 200", await Text(tab, ".made"));
        await Eventually.True(async () =>
        {
            Assert.Equal(200, (await Buy(app, Hostile)).Status);
            return (await app.Firings("rule=pro&state=delivered")).Count == 1;
        }, "No firing is delivered.");
        await tab.GoToAsync(Address(app) + "/rules");
        Assert.Equal(["pro", "the first buy in shop where plan is pro", "once a fingerprint"],
            (await Texts(tab, ".rows tbody tr:first-child :is(th, td)"))[..3]);
        Assert.Equal([Hostile], await Texts(tab, "#firings tbody bdi"));
        Assert.StartsWith("delivered", (await Texts(tab, "#firings tbody td:last-child"))[0]);
        await tab.GoToAsync(Address(app) + "/rule?name=pro&state=parked");
        Assert.Equal("None yet.", await Text(tab, "#firings .none"));

        // the receiver fails
        receiver.Answer = WebhookReceiver.Status(500);
        await Click(tab, "[formaction='/rule/test']");
        Assert.Contains("Not delivered", await Text(tab, "[role=alert]"));
        await Click(tab, "[formaction='/rule/replay']");
        Assert.Contains("0 are sent again", await Text(tab, ".made"));
        await Click(tab, "[formaction='/rule/secret']");
        Assert.StartsWith("whsec_", await Text(tab, ".made code"));

        await Click(tab, ".question button:last-of-type");
        Assert.Contains("is not in force", await Text(tab, ".panel"));
        (await app.Get("/api/rules/pro")).AssertRefused(404, "unknown_rule", "name");
        Assert.Single(await Texts(tab, "#firings tbody tr"));
        await AppProcess.AssertVerifies(database);
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task Each_kind_of_rule_can_be_made_and_a_mistake_keeps_what_was_typed()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        var tab = await reader.Open(app, "/rules");
        foreach (var (name, fields, expected) in ((string, (string, string)[], string)[])
                 [
                     ("every", [("number", "10")], """{"event":{"product":"shop","action":"cart"},"count":{"every":10}}"""),
                     ("times", [("number", "3"), ("within", "10m")],
                         """{"event":{"product":"shop","action":"cart"},"count":{"times":3,"within":"PT10M"}}"""),
                     ("then", [("within", "1h"), ("otherAction", "buy")],
                         """{"event":{"product":"shop","action":"cart"},"then":{"event":{"product":"shop","action":"buy"},"within":"PT1H"}}"""),
                     ("without", [("within", "2d"), ("otherProduct", "desk"), ("otherAction", "buy")],
                         """{"event":{"product":"shop","action":"cart"},"without":{"event":{"product":"desk","action":"buy"},"within":"P2D"}}"""),
                     ("silence", [("within", "10m")],
                         """{"event":{"product":"shop","action":"cart"},"silence":{"within":"PT10M"}}"""),
                 ])
        {
            await tab.GoToAsync(Address(app) + "/rules");
            await Fill(tab, [("name", name), ("product", "shop"), ("action", "cart"), ("when", name), ("how", "each"),
                .. fields]);
            await Click(tab, ".question button");
            Assert.Equal(name, await Text(tab, "h1"));
            var rule = (await app.Get("/api/rules/" + name)).Body.GetProperty("rule");
            Assert.Equal((expected, "each"), (rule.GetProperty("when").GetRawText(), rule.GetProperty("how").GetString()));
        }

        await tab.GoToAsync(Address(app) + "/rules");
        await Fill(tab, ("name", "bad"), ("product", "shop"), ("action", "cart"), ("when", "times"), ("number", "1"),
            ("within", "soon"));
        await Click(tab, ".question button");
        Assert.Contains("/when/count/times", await Text(tab, "[role=alert]"));
        Assert.Equal(["bad", "shop", "cart", "", "", "times", "1", "soon"], (await tab.EvaluateExpressionAsync<string[]>(
            "[...document.querySelectorAll('.question :is(input, select)')].map(field => field.value)"))[..8]);
        (await app.Get("/api/rules/bad")).AssertRefused(404, "unknown_rule", "name");
        reader.Forgive(); // its status
        await reader.AssertIsGood(tab, "rules-mistake");
    }

    [Fact]
    public async Task With_keys_it_takes_a_rule_key_and_nothing_else()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database,
            new() { ["APP_READ_KEYS"] = Reader, ["APP_RULE_KEYS"] = Ruler });
        var tab = await reader.Open(app, "/rules");
        await tab.TypeAsync("#key", Reader);
        await Click(tab, ".sign-in button");
        foreach (var wrong in (string[])[Reader, Ruler + "x"])
        {
            await Fill(tab, ("name", "pro"), ("product", "shop"), ("action", "buy"), ("key", wrong));
            await Click(tab, ".question button");
            Assert.Contains("not a key that may change rules", await Text(tab, "[role=alert]"));
        }
        await Fill(tab, ("key", Ruler));
        await Click(tab, ".question button");
        Assert.Equal("pro", await Text(tab, "h1"));
        await tab.TypeAsync("[name=key]", Reader);
        await Click(tab, ".question button:last-of-type");
        Assert.Contains("not a key that may change rules", await Text(tab, "[role=alert]"));
        Assert.DoesNotContain("is not in force", await Text(tab, ".panel"));
        await tab.TypeAsync("[name=key]", Ruler);
        await Click(tab, ".question button:last-of-type");
        Assert.Contains("is not in force", await Text(tab, ".panel"));
        await app.Terminate();
        Assert.DoesNotContain(Ruler, app.Output);
    }

    [Fact]
    public async Task Odd_requests_are_refused_or_as_if_nothing_was_asked()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        foreach (var (path, status) in ((string, int)[])
                 [
                     ("/rule", 200), ("/rule?name=", 200), ("/rule?name=%3Cb%3E", 200), ("/rule?name=none", 200),
                     ("/rules?state=lost", 422), ("/rules?after=x", 422),
                 ])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path);
            request.Headers.Add("Accept", "text/html");
            using var answer = await app.Http.SendAsync(request);
            Assert.Equal((path, status), (path, (int)answer.StatusCode));
        }
        foreach (var path in (string[])["/rules", "/rule/test", "/rule/replay", "/rule/secret", "/rule/end"])
            foreach (var body in (string[])["{}", "name=" + new string('x', 20_000), "name=a%2Fb"])
                Assert.InRange((await Post(app, path, body)).Status, 400, 422);
        Assert.Empty((await app.Get("/api/rules")).Body.GetProperty("rules").EnumerateArray());
    }

    [Fact]
    public async Task They_are_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await app.PutWebhookRule("first-purchase", "https://hooks.example/tally");
        await app.PutWebhookRule("every-second-one", "https://hooks.example/other", ordered: true);
        await Eventually.True(async () =>
        {
            await app.Buy("ada-" + Guid.NewGuid(), 2);
            await app.Buy(new string('x', 200), 2);
            return (await app.Firings("rule=first-purchase")).Count > 3;
        }, "Nothing fires.");
        await reader.AssertIsGoodEverywhere(app, "/rules", "rules");
        await reader.AssertIsGoodEverywhere(app, "/rule?name=first-purchase", "rule");
        await reader.AssertIsGood(await reader.Open(app, "/rules", language: "de"), "rules-german");
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static Task Fill(IPage tab, params IEnumerable<(string Field, string Value)> fields) =>
        tab.EvaluateFunctionAsync(
            "fields => fields.forEach(([name, value]) => document.querySelector(`.question [name=${name}]`).value = value)",
            (object)fields.Select(field => new[] { field.Field, field.Value }).ToArray());

    private static Task<Answer> Buy(AppProcess app, string fingerprint) => app.PostJson(
        $$$"""{"product":"shop","action":"buy","fingerprint":{{{System.Text.Json.JsonSerializer.Serialize(fingerprint)}}},"properties":{"plan":"pro"}}""");

    private static Task<Answer> Post(AppProcess app, string path, string form) => app.Post(
        System.Text.Encoding.UTF8.GetBytes(form), form == "{}" ? "application/json" : "application/x-www-form-urlencoded",
        path: path);
}
