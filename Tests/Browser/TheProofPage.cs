using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>Whether an event and all counts hold, in a real browser.</summary>
public sealed class TheProofPage(PostgresServer server) : IAsyncDisposable
{
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e&'";

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task An_id_is_looked_up_with_what_the_API_knows_of_it(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        foreach (var (fingerprint, id) in ((string, string)[])
                 [
                     ("ada", "order-17"), (Hostile, "order-17"), ("odd", "a&b=c/\u00fc\ud83d\ude00 \"<b>"),
                     ("x", new string('w', 128)),
                 ])
            Assert.Equal(200, (await app.PostJson(JsonSerializer.Serialize(
                new { action = "buy" + fingerprint, product = fingerprint, fingerprint, id }))).Status);

        var tab = await reader.Open(app, "/");
        await Click(tab, ".pages a[href='/proof']");
        Assert.Equal("Proof - Tally", await tab.GetTitleAsync());
        await LookUp(tab, "order-17");
        Assert.Equal("2 fingerprints have an event with this id, each counted once", await Text(tab, ".found h2"));
        Assert.Equal("order-17", await tab.EvaluateExpressionAsync<string>("document.querySelector('#id').value"));
        await ShowsReceipts(app, tab, "order-17");
        foreach (var id in (string[])["a&b=c/\u00fc\ud83d\ude00 \"<b>", new string('w', 128)])
        {
            await LookUp(tab, id);
            Assert.Equal("It is counted, once", await Text(tab, ".found h2"));
            await ShowsReceipts(app, tab, id);
        }
        await LookUp(tab, Hostile);
        Assert.Equal("No event with this id is in the log", await Text(tab, ".found h2"));
        Assert.Equal(Hostile, await Text(tab, ".found bdi"));
        await LookUp(tab, new string('w', 129));
        Assert.Equal(("That is no event's id", "The field id takes at most 128 characters."),
            (await Text(tab, ".found h2"), await Text(tab, ".found .problem")));
        await tab.GoToAsync(Address(app) + "/proof?id=");
        Assert.Empty(await Texts(tab, ".found"));
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('main img, main b').length"));
        reader.AssertNoComplaints();
    }

    [Theory, EachStorage]
    public async Task A_verification_is_started_by_a_click_and_seen_to_its_end(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app =
            await AppProcess.Start(database, new() { ["Limits__VerificationEventsPerSecondMax"] = "500" });
        await Fill(app, 6_000);
        var tab = await reader.Open(app, "/proof");
        Assert.Equal("Not verified yet.", (await Text(tab, ".verdict")).Trim());
        await Click(tab, "[action='/proof'][method=post] button");
        Assert.Equal(Address(app) + "/proof", tab.Url);
        Assert.Null(await tab.QuerySelectorAsync("[action='/proof'][method=post] button")); // one at a time
        // an answer to what is typed meanwhile
        await tab.TypeAsync("#id", "typed");
        var seen = new SortedSet<double>();
        await Eventually.True(async () =>
        {
            var value = await tab.EvaluateExpressionAsync<double?>("document.querySelector('progress')?.value ?? null");
            if (value is { } part) seen.Add(part);
            return value is null;
        }, "it does not end by itself");
        Assert.True(seen.Count > 1 && seen.Max > 0, string.Join(' ', seen));
        Assert.Equal("typed", await tab.EvaluateExpressionAsync<string>("document.querySelector('#id').value"));

        var held = (await app.Get("/api/verifications")).Body.GetProperty("lastHeld");
        Assert.Equal(held.GetProperty("begun").GetDateTime(), await Time(tab, ".verdict time"));
        Assert.Equal([Number(held.GetProperty("events")), Number(held.GetProperty("fingerprints"))],
            await Texts(tab, ".runs data"));
        Assert.Equal(["all equal"], await Texts(tab, ".runs .up"));
        reader.AssertNoComplaints();
    }

    [Theory, EachStorage]
    public async Task Without_scripts_it_works_and_differences_are_shown_as_text(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app, 20);
        Assert.Equal(200, (await app.PostJson(JsonSerializer.Serialize(
            new { action = "a", product = "shop", fingerprint = Hostile }))).Status);
        await database.Execute("update events set action = 'changed' where action = 'a'");
        var tab = await reader.Open(app, "/");
        await tab.SetJavaScriptEnabledAsync(false);
        await tab.GoToAsync(Address(app) + "/proof");
        await Click(tab, "[action='/proof'][method=post] button");
        await Eventually.True(async () =>
        {
            await tab.ReloadAsync();
            return await tab.QuerySelectorAsync(".runs li") is not null;
        }, "it does not end");
        await tab.ClickAsync(".runs summary");
        await tab.SetJavaScriptEnabledAsync(true); // the test's own questions need it
        var differs = (await app.Get("/api/verifications")).Body.GetProperty("ended")[0];
        Assert.Equal([$"{differs.GetProperty("differences").GetInt64()} differences"], await Texts(tab, ".runs .down"));
        Assert.Equal(differs.GetProperty("found").EnumerateArray().Select(line => line.GetString()),
            await Texts(tab, ".differences li"));
        Assert.Contains(await Texts(tab, ".differences li"), line => line.Contains(" changed"));
        Assert.Equal(differs.GetProperty("begun").GetDateTime(), await Time(tab, ".verdict.down time"));
        Assert.Empty(await Texts(tab, ".verdict.well"));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task What_was_refused_and_repeated_is_the_sum_of_all_silos()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        var repeated = 0; // 6 where a silo tries the first one twice: it cannot tell that from a client's repeat
        for (var i = 0; i < 6; i++)
        {
            if ((await silos[i % 2].PostForm("action=a&product=b&fingerprint=c&id=one")).Duplicate) repeated++;
            Assert.Equal(422, (await silos[i % 2].PostForm("action=a&product=b")).Status);
        }
        Assert.InRange(repeated, 5, 6);
        Assert.Equal(415, (await silos[1].Post([], "image/png")).Status);
        foreach (var place in (int[])[0, 1])
        {
            var tab = await reader.Open(silos[place], "/proof");
            Assert.Equal(["Repeated: there already, counted once", "Refused: missing_field",
                "Refused: unsupported_media_type"], await Texts(tab, ".reasons tbody th"));
            Assert.Equal([$"{repeated}", "6", "1"], await Texts(tab, ".reasons td"));
        }
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task It_is_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database, new() { ["Limits__VerificationEventsPerSecondMax"] = "500" });
        await Fill(app, 500);
        Assert.Equal(200, (await app.PostJson(JsonSerializer.Serialize(new
        {
            action = "a", product = "shop", fingerprint = string.Concat(Enumerable.Repeat("\ud83d\ude00", 64)),
            id = "long",
        }))).Status);
        Assert.Equal(422, (await app.PostForm("action=a")).Status);
        await reader.AssertIsGood(await reader.Open(app, "/proof", language: "de"), "proof-german");
        await Verify(app);
        await database.Execute("update events set action = 'changed' where action = 'a'");
        await Verify(app);
        await reader.AssertIsGoodEverywhere(app, "/proof?id=long", "proof");
        await Fill(app, 20_000);
        Assert.Equal(202, (await Begin(app)).Status);
        await reader.AssertIsGoodEverywhere(app, "/proof?id=nobody", "proof-running");
    }

    [Fact]
    public async Task Only_a_reader_of_this_site_starts_one()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app =
            await AppProcess.Start(database, new() { ["APP_READ_KEYS"] = "reader-0123456789abcdef" });
        await using var open = await AppProcess.Start(await TestDatabase.Create(StorageKind.Sqlite, server));
        Assert.Equal(401, await PostForm(app, "/proof", "same-origin")); // the sign-in page
        Assert.Equal(403, await PostForm(open, "/proof", "cross-site"));
        Assert.Equal(403, await PostForm(open, "/api/verifications", "cross-site"));
        Assert.Empty((await open.Get("/api/verifications")).Body.GetProperty("ended").EnumerateArray());
        (await open.Post([], null, path: "/proof")).AssertRefused(404, "not_found"); // a program asks the API
        Assert.Equal(303, await PostForm(open, "/proof", "same-origin"));
    }

    [Fact]
    public async Task A_person_is_told_that_the_database_does_not_answer()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await database.Execute("alter table verifications rename to elsewhere");
        var tab = await reader.Open(app, "/proof");
        Assert.Equal("No answer in time", await Text(tab, "h1"));
        await database.Execute("alter table elsewhere rename to verifications");
        await PassAMinute(tab);
        await tab.WaitForSelectorAsync(".verdict");
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static async Task<int> PostForm(AppProcess app, string path, string site)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(HttpMethod.Post, Address(app) + path)
        {
            Content = new FormUrlEncodedContent([]),
        };
        request.Headers.Add("Accept", "text/html");
        request.Headers.Add("Sec-Fetch-Site", site);
        using var answer = await client.SendAsync(request);
        return (int)answer.StatusCode;
    }

    private static Task<Answer> Begin(AppProcess app) => app.Send(new(HttpMethod.Post, "/api/verifications"));

    private static async Task Verify(AppProcess app)
    {
        Assert.Equal(202, (await Begin(app)).Status);
        await Eventually.True(async () => !(await app.Get("/api/verifications")).Body.TryGetProperty("running", out _),
            "it does not end");
    }

    // As somebody with a keyboard does.
    private static async Task LookUp(IPage tab, string id)
    {
        await tab.EvaluateExpressionAsync("document.querySelector('#id').value = ''");
        await tab.Keyboard.PressAsync("/");
        await tab.EvaluateFunctionAsync("id => { document.activeElement.value = id }", id);
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.Keyboard.PressAsync("Enter"));
    }

    private static async Task ShowsReceipts(AppProcess app, IPage tab, string id)
    {
        var receipts = (await app.Get("/api/receipts/" + Uri.EscapeDataString(id))).Body.GetProperty("receipts");
        Assert.Equal(receipts.EnumerateArray().SelectMany(one => (string[])
            [
                one.GetProperty("fingerprint").GetString()!, Number(one.GetProperty("sequence")),
                one.GetProperty("product").GetString()!, one.GetProperty("action").GetString()!,
            ]), await Texts(tab, ".found dd :is(bdi, data)"));
        Assert.Equal(receipts[0].GetProperty("created").GetDateTime(), await Time(tab, ".found dd time"));
    }

    private static async Task<DateTime> Time(IPage tab, string selector) =>
        (await tab.EvaluateFunctionAsync<DateTimeOffset>(
            "selector => document.querySelector(selector).dateTime", selector)).UtcDateTime;

    private static async Task Fill(AppProcess app, int events)
    {
        for (var sent = 0; sent < events; sent += 4_000)
            Assert.Equal(Math.Min(4_000, events - sent), (await app.PostBatch(JsonSerializer.Serialize(
                Enumerable.Range(sent, Math.Min(4_000, events - sent)).Select(i => new
                {
                    action = i % 3 == 0 ? "view" : "buy", product = "shop", fingerprint = $"visitor-{i % 300}",
                })))).Batch.Recorded);
    }
}
