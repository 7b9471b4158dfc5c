using System.Globalization;
using System.Text;
using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>The page at the server's address, in a real browser.</summary>
public sealed class ThePage(PostgresServer server) : IAsyncDisposable
{
    internal const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e";

    private readonly PageReader reader = new();
    private TimeZoneInfo clocks = TimeZoneInfo.Utc;

    private DateTime Now => TimeZoneInfo.ConvertTimeFromUtc(DateTime.UtcNow, clocks);

    [Theory]
    [InlineData(StorageKind.Sqlite, "UTC")]
    [InlineData(StorageKind.Postgres, "Asia/Kathmandu")]
    public async Task Its_numbers_are_those_of_the_API(StorageKind storage, string zone)
    {
        clocks = TimeZoneInfo.FindSystemTimeZoneById(zone);
        if (Now.TimeOfDay > TimeSpan.FromMinutes(23 * 60 + 57)) await Task.Delay(TimeSpan.FromDays(1) - Now.TimeOfDay);
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: ["-timeZone", zone]);
        await Fill(app);
        var tab = await reader.Open(app, "/");
        Assert.Equal("Tally", await tab.GetTitleAsync());
        await ShowsSums(app, tab, 30, "");

        // a product's own page, and back
        await tab.EvaluateExpressionAsync(
            "[...document.querySelectorAll('.list a')].find(a => a.innerText === 'docs').id = 'docs'");
        await Click(tab, "#docs");
        await ShowsSums(app, tab, 30, "&product=docs");
        await Click(tab, ".ranges a");
        Assert.Equal("?range=today&product=docs", await tab.EvaluateExpressionAsync<string>("location.search"));
        await ShowsSums(app, tab, 1, "&product=docs");
        await tab.GoBackAsync();
        await ShowsSums(app, tab, 30, "&product=docs");

        // what a client wrote is text
        await tab.GoToAsync($"{Address(app)}/?product={Uri.EscapeDataString(Hostile)}");
        Assert.Equal(Hostile, await Text(tab, ".filter bdi"));
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('main img').length"));
        await ShowsSums(app, tab, 30, "&product=" + Uri.EscapeDataString(Hostile));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task It_waits_for_the_first_event_and_turns_by_itself()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        var tab = await reader.Open(app, "/");
        Assert.Equal("Waiting for the first event", await Text(tab, "h1"));
        Assert.Contains($"{Address(app)}/api/events", await Text(tab, "code"));
        await tab.EvaluateExpressionAsync("document.querySelector('main [name=product]').value = 'my \"site\"'");
        await Click(tab, "main .fields button");
        Assert.Contains("product=my%20%22site%22&", await Text(tab, "code"));
        Assert.Contains("data-product=\"my &quot;site&quot;\"", (await Texts(tab, "code"))[1]);
        await tab.GoToAsync(Address(app));
        Assert.Equal(200, (await app.PostForm("action=view&product=shop&fingerprint=ada")).Status);
        await tab.WaitForSelectorAsync(".figures");
        Assert.Equal("1", await Text(tab, ".number"));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task It_is_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await reader.AssertIsGood(await reader.Open(app, "/"), "start");
        await Fill(app);
        await reader.AssertIsGoodEverywhere(app, "/", "overview");
    }

    [Fact]
    public async Task Its_reader_chooses_language_and_theme()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        var tab = await reader.Open(app, "/?range=90d", language: "fr;q=0.9, de-CH;q=0.8, en;q=0.5");
        Assert.Equal("de", await Language(tab));
        Assert.Equal("1.500", (await Texts(tab, ".number"))[0]);
        await reader.AssertIsGood(tab, "overview-german");
        await tab.ClickAsync(".settings summary");
        await reader.AssertIsGood(tab, "settings");
        await Click(tab, "[name=language][value=en]");
        Assert.Equal("en", await Language(tab));
        Assert.Equal("?range=90d", await tab.EvaluateExpressionAsync<string>("location.search"));
        await tab.ClickAsync(".settings summary");
        await Click(tab, "[name=theme][value=dark]");
        Assert.Equal("rgb(20, 24, 22)", await Ground(tab));
        await tab.ReloadAsync();
        Assert.Equal("rgb(20, 24, 22)", await Ground(tab));
        await tab.ClickAsync(".settings summary");
        await Click(tab, "[name=theme][value='']");
        Assert.Equal("rgb(247, 247, 245)", await Ground(tab));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task Keys_lead_through_it()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        var tab = await reader.Open(app, "/");
        await tab.Keyboard.PressAsync("?");
        Assert.True(await tab.EvaluateExpressionAsync<bool>("document.querySelector('#keys').open"));
        await reader.AssertIsGood(tab, "keys");
        await tab.Keyboard.PressAsync("Escape");
        await tab.Keyboard.PressAsync("j");
        await tab.Keyboard.PressAsync("j");
        await tab.Keyboard.PressAsync("k");
        var product = await tab.EvaluateExpressionAsync<string>("document.activeElement.textContent");
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.Keyboard.PressAsync("Enter"));
        Assert.Equal(product, await Text(tab, ".filter bdi"));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task A_form_of_another_site_changes_nothing()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        foreach (var (name, value, status) in ((string, string, int)[])
                 [
                     ("Sec-Fetch-Site", "cross-site", 403), ("Sec-Fetch-Site", "same-site", 403),
                     ("Sec-Fetch-Site", "same-origin", 303), ("Sec-Fetch-Site", "none", 303),
                     ("Origin", "https://evil.example", 403), ("Origin", "null", 403),
                     ("Origin", Address(app), 303),
                 ])
        {
            using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false });
            using var request = new HttpRequestMessage(HttpMethod.Post, Address(app) + "/preferences")
            {
                Content = new FormUrlEncodedContent([new("theme", "dark"), new("to", "/?range=7d")]),
            };
            request.Headers.Add(name, value);
            using var answer = await client.SendAsync(request);
            Assert.Equal((value, status), (value, (int)answer.StatusCode));
            Assert.Equal(status == 303, answer.Headers.Contains("Set-Cookie"));
        }
    }

    [Fact]
    public async Task A_program_gets_a_problem_document()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        (await app.Get("/")).AssertRefused(404, "not_found");
        Assert.Equal(200, await Status(app, "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"));
        Assert.Equal(404, await Status(app, "text/html;q=0,application/json"));
        foreach (var odd in (string[])["/?range=century", "/?product=", "/?range=7d&range=30d",
            "/?x=%20&product=" + new string('x', 300)])
            Assert.Equal(200, await Status(app, "text/html", odd));
        Assert.Equal(404, (await app.Post([], null, path: "/sign-in")).Status); // without keys there is nothing to open
    }

    [Fact]
    public async Task A_person_is_told_that_the_database_does_not_answer()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        foreach (var (table, missing) in ((string, string)[])
                 [
                     ("visits", ".figure:nth-child(2)"), ("events", ".together .figure"),
                     ("dimension_values", ".list:nth-child(3)"), ("annotations", ".chart .none"),
                 ])
        {
            await database.Execute($"alter table {table} rename to elsewhere");
            var partly = await reader.Open(app, "/");
            await partly.WaitForFunctionAsync("() => !document.querySelector('[data-load]')");
            Assert.Contains("no answer in time", await Text(partly, missing));
            Assert.NotEqual("0", await Text(partly, ".number")); // the rest is there
            await database.Execute($"alter table elsewhere rename to {table}");
        }
        await database.Execute("alter table rollup_hours rename to elsewhere");
        var tab = await reader.Open(app, "/");
        Assert.Equal("No answer in time", await Text(tab, "h1"));
        await database.Execute("alter table elsewhere rename to rollup_hours");
        await PassAMinute(tab); // it tries again itself
        await tab.WaitForSelectorAsync(".number");
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    internal static async Task Fill(AppProcess app)
    {
        var random = new Random(Seed.Next());
        var now = DateTime.UtcNow;
        var batch = Enumerable.Range(0, 1_500).Select(i => JsonSerializer.Serialize(new
        {
            action = random.Next(8) == 0 ? "buy" : "view",
            product = random.Next(40) == 0 ? Hostile : random.Next(3) == 0 ? "docs" : "shop",
            fingerprint = $"visitor-{random.Next(400)}",
            timestamp = now.AddMinutes(-random.Next(70 * 24 * 60)),
            properties = new
            {
                path = random.Next(9) == 0 ? Hostile : $"/page/{random.Next(12)}", referrer = "news.example",
            },
        }));
        Assert.Equal(1_500, (await app.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
            path: Requests.BatchPath + "?history=true")).Batch.Recorded);
    }

    // The sums, each row of the chart's table, and each list.
    private async Task ShowsSums(AppProcess app, IPage tab, int days, string product)
    {
        var today = Now.Date;
        var range = string.Create(CultureInfo.InvariantCulture,
            $"from={today.AddDays(1 - days):yyyy-MM-dd}&to={today.AddDays(1):yyyy-MM-dd}{product}");
        var sum = (await app.Get($"/api/totals?bucket=all&{range}")).Body.GetProperty("points")[0];
        var uniques = (await app.Get($"/api/uniques?{range}")).Body.GetProperty("uniqueFingerprints");
        var sessions = Number((await app.Get($"/api/sessions?{range}")).Body.GetProperty("sessions"));
        var present = (await app.Get($"/api/present?{product.TrimStart('&')}")).Body.GetProperty("fingerprints");
        await tab.WaitForFunctionAsync("() => !document.querySelector('[data-load]')"); // sessions come later
        var numbers = await Texts(tab, ".number");
        Assert.Equal([Number(sum.GetProperty("events")), Number(uniques), Number(sum.GetProperty("newFingerprints")),
            sessions], numbers[..4]);
        Assert.Equal(Number(present), numbers[5]);

        var points = (await app.Get($"/api/totals?bucket={(days == 1 ? "hour" : "day")}&{range}")).Body
            .GetProperty("points").EnumerateArray().Reverse().ToList();
        Assert.Equal(points.Select(point => Number(point.GetProperty("events"))),
            await Texts(tab, ".chart tbody td:nth-child(2)"));
        if (days > 1)
            Assert.Equal(points.Select(point => Number(point.GetProperty("uniqueFingerprints"))),
                await Texts(tab, ".chart tbody td:nth-child(4)"));

        var titles = await Texts(tab, ".list h2");
        foreach (var (title, question, name) in ((string, string, string)[])
                 [("Actions", "top?of=actions", "action"), ("Pages", "breakdown?by=path", "value")])
        {
            var body = (await app.Get($"/api/{question}&limit=8&{range}")).Body;
            var rows = (body.TryGetProperty("top", out var top) ? top : body.GetProperty("values")).EnumerateArray();
            var place = Array.IndexOf(titles, title) + 1; // 0 if there is none, as for pages without any
            Assert.Equal(
                rows.SelectMany(row =>
                    (string[])[row.GetProperty(name).GetString()!, Number(row.GetProperty("events"))]),
                await Texts(tab, $".list:nth-child({place}) tbody :is(bdi, td:nth-child(2))"));
        }
    }

    private static Task<string> Language(IPage tab) =>
        tab.EvaluateExpressionAsync<string>("document.documentElement.lang");

    private static Task<string> Ground(IPage tab) =>
        tab.EvaluateExpressionAsync<string>("getComputedStyle(document.body).backgroundColor");

    private static async Task<int> Status(AppProcess app, string accept, string path = "/")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await app.Http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
