using System.Globalization;
using System.Text;
using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>The page at the server's address, in a real browser.</summary>
public sealed class ThePage(PostgresServer server) : IAsyncDisposable
{
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e";

    private readonly Chromium chromium = new();
    private readonly List<string> complaints = [];
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
        var tab = await Open(app, "/");
        Assert.Equal("Tally", await tab.GetTitleAsync());
        await ShowsSums(app, tab, 30, "");

        // a product's own page, and back
        await tab.EvaluateExpressionAsync(
            "[...document.querySelectorAll('.list a')].find(a => a.innerText === 'docs').id = 'docs'");
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.ClickAsync("#docs"));
        await ShowsSums(app, tab, 30, "&product=docs");
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.ClickAsync("nav a"));
        Assert.Equal("?range=today&product=docs", await tab.EvaluateExpressionAsync<string>("location.search"));
        await ShowsSums(app, tab, 1, "&product=docs");
        await tab.GoBackAsync();
        await ShowsSums(app, tab, 30, "&product=docs");

        // what a client wrote is text
        await tab.GoToAsync($"{Address(app)}/?product={Uri.EscapeDataString(Hostile)}");
        Assert.Equal(Hostile, await Text(tab, ".product bdi"));
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('main img').length"));
        await ShowsSums(app, tab, 30, "&product=" + Uri.EscapeDataString(Hostile));
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task It_waits_for_the_first_event_and_turns_by_itself()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        var tab = await Open(app, "/");
        Assert.Equal("Waiting for the first event", await Text(tab, "h1"));
        Assert.Contains($"{Address(app)}/api/events", await Text(tab, "code"));
        Assert.Equal(200, (await app.PostForm("action=view&product=shop&fingerprint=ada")).Status);
        await tab.WaitForSelectorAsync(".figures");
        Assert.Equal("1", await Text(tab, ".number"));
        Assert.Empty(complaints);
    }

    [Theory]
    [InlineData(360), InlineData(1280), InlineData(2560)]
    public async Task Nothing_is_wider_than_the_window(int width)
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        foreach (var scheme in (string[])["light", "dark"])
        {
            var tab = await Open(app, "/", width, scheme);
            Assert.InRange(await tab.EvaluateExpressionAsync<int>("document.documentElement.scrollWidth"), 1, width);
            // Kept for people to look at.
            await tab.ScreenshotAsync(Path.Combine(AppContext.BaseDirectory, $"overview-{width}-{scheme}.png"),
                new() { FullPage = true });
        }
        Assert.Empty(complaints);
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
        foreach (var table in (string[])["visits", "counters", "dimension_values", "rollup_hours"])
        {
            await database.Execute($"alter table {table} rename to elsewhere");
            Assert.Equal(503, await Status(app, "text/html", "/?product=nobody"));
            await database.Execute($"alter table elsewhere rename to {table}");
        }
        await database.Execute("alter table rollup_hours rename to elsewhere");
        var tab = await Open(app, "/");
        Assert.Equal("No answer in time", await Text(tab, "h1"));
        await database.Execute("alter table elsewhere rename to rollup_hours");
        await tab.EvaluateExpressionAsync("Date.now = (now => () => now() + 60_000)(Date.now)"); // it tries again itself
        await tab.WaitForSelectorAsync(".number");
    }

    public ValueTask DisposeAsync() => chromium.DisposeAsync();

    private static async Task Fill(AppProcess app)
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

    private async Task<IPage> Open(AppProcess app, string path, int width = 1280, string scheme = "light")
    {
        var tab = await (await chromium.NewVisitor()).NewPageAsync();
        await tab.SetViewportAsync(new() { Width = width, Height = 900 });
        await tab.EmulateMediaFeaturesAsync([new() { MediaFeature = MediaFeature.PrefersColorScheme, Value = scheme }]);
        tab.Console += (_, said) => complaints.Add(said.Message.Text);
        tab.PageError += (_, error) => complaints.Add(error.Message);
        tab.Request += (_, asked) =>
        {
            var url = asked.Request.Url;
            if (!url.StartsWith(Address(app), StringComparison.Ordinal)) complaints.Add(url);
        };
        await tab.GoToAsync(Address(app) + path);
        return tab;
    }

    // The sums, each row of the chart's table, and each list.
    private async Task ShowsSums(AppProcess app, IPage tab, int days, string product)
    {
        var today = Now.Date;
        var range = string.Create(CultureInfo.InvariantCulture,
            $"from={today.AddDays(1 - days):yyyy-MM-dd}&to={today.AddDays(1):yyyy-MM-dd}{product}");
        var sum = (await app.Get($"/api/totals?bucket=all&{range}")).Body.GetProperty("points")[0];
        var uniques = (await app.Get($"/api/uniques?{range}")).Body.GetProperty("uniqueFingerprints");
        Assert.Equal([Number(sum.GetProperty("events")), Number(uniques), Number(sum.GetProperty("newFingerprints"))],
            await Texts(tab, ".number"));

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

    private static string Number(JsonElement number) => number.GetInt64().ToString("N0", CultureInfo.InvariantCulture);

    private static Task<string> Text(IPage tab, string selector) =>
        tab.EvaluateFunctionAsync<string>("selector => document.querySelector(selector).textContent", selector);

    private static Task<string[]> Texts(IPage tab, string selector) => tab.EvaluateFunctionAsync<string[]>(
        "selector => [...document.querySelectorAll(selector)].map(found => found.textContent)", selector);

    private static string Address(AppProcess app) => $"http://127.0.0.1:{app.Port}";

    private static async Task<int> Status(AppProcess app, string accept, string path = "/")
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        request.Headers.TryAddWithoutValidation("Accept", accept);
        using var response = await app.Http.SendAsync(request);
        return (int)response.StatusCode;
    }
}
