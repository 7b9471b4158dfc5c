using System.Globalization;
using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>What the overview can be asked: its filters, ranges, lists and notes.</summary>
public sealed class TheOverview(PostgresServer server) : IAsyncDisposable
{
    private const string Zone = "Asia/Kathmandu";

    private readonly PageReader reader = new();

    private static DateTime Now => TimeZoneInfo.ConvertTimeFromUtc(DateTime.UtcNow,
        TimeZoneInfo.FindSystemTimeZoneById(Zone));

    [Theory, EachStorage]
    public async Task Its_answers_are_those_of_the_API(StorageKind storage)
    {
        if (Now.TimeOfDay > TimeSpan.FromMinutes(23 * 60 + 57)) await Task.Delay(TimeSpan.FromDays(1) - Now.TimeOfDay);
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: ["-timeZone", Zone]);
        await ThePage.Fill(app);
        var tab = await reader.Open(app, "/");
        await Filters(app, tab);
        await Ranges(app, tab);
        await Notes(app, tab);
        await Lists(app, tab);
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task Its_chart_is_read_by_keys_and_renewing_keeps_what_is_open_and_focused()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await ThePage.Fill(app);
        var tab = await reader.Open(app, "/");
        await tab.WaitForFunctionAsync("() => !document.querySelector('[data-load]')"); // nothing moves any more
        await tab.FocusAsync("#drawing");
        Assert.StartsWith(await Row(tab, 0), await Text(tab, "#point"));
        await tab.Keyboard.PressAsync("ArrowLeft");
        await tab.Keyboard.PressAsync("ArrowLeft");
        await tab.Keyboard.PressAsync("ArrowRight");
        Assert.StartsWith(await Row(tab, 1), await Text(tab, "#point"));
        Assert.Equal(await Text(tab, "#point"), await Attribute(tab, "#drawing", "aria-valuetext"));
        await tab.Keyboard.PressAsync("Home");
        Assert.StartsWith(await Row(tab, 29), await Text(tab, "#point"));

        await tab.HoverAsync(".column:nth-of-type(11) .hit");
        Assert.StartsWith(await Row(tab, 19), await Text(tab, "#point"));
        await tab.ClickAsync(".chart summary");
        await tab.FocusAsync("#drawing");
        await tab.EvaluateExpressionAsync("document.querySelector('main').dataset.old = 'old'");
        await app.PostForm("action=view&product=shop&fingerprint=ada");
        await PassAMinute(tab);
        await tab.WaitForFunctionAsync("() => !document.querySelector('main').dataset.old");
        Assert.Equal("drawing", await tab.EvaluateExpressionAsync<string>("document.activeElement.id"));
        Assert.True(await tab.EvaluateExpressionAsync<bool>("document.querySelector('.chart details').open"));
        Assert.StartsWith(await Row(tab, 19), await Text(tab, "#point"));
        Assert.NotEqual("\u2013", (await Texts(tab, ".number"))[3]); // sessions are still there
        await reader.AssertIsGood(tab, "overview-chart");
    }

    [Fact]
    public async Task A_part_of_its_chart_is_shown_by_itself()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await ThePage.Fill(app);
        var tab = await reader.Open(app, "/?product=shop");
        await tab.WaitForFunctionAsync("() => !document.querySelector('[data-load]')");
        var (first, last) = (await Attribute(tab, ".column:nth-of-type(11)", "data-first"),
            await Attribute(tab, ".column:nth-of-type(20)", "data-last"));
        await Drag(tab, 20, 11);
        Assert.Equal($"?product=shop&first={first}&last={last}", await Search(tab));
        Assert.Equal(10, (await tab.QuerySelectorAllAsync(".column")).Length);
        await tab.FocusAsync("#drawing");
        await tab.Keyboard.PressAsync("End");
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.Keyboard.PressAsync("Enter"));
        Assert.Equal($"?product=shop&first={last}&last={last}", await Search(tab));
        Assert.Equal(24, (await tab.QuerySelectorAllAsync(".column")).Length); // hours, and no part of them is smaller
        await tab.FocusAsync("#drawing");
        await tab.Keyboard.PressAsync("Enter");
        await tab.GoBackAsync();
        Assert.Equal($"?product=shop&first={first}&last={last}", await Search(tab));

        async Task Drag(IPage on, int from, int to)
        {
            await on.HoverAsync($".column:nth-of-type({from}) .hit");
            await on.Mouse.DownAsync();
            await on.HoverAsync($".column:nth-of-type({to}) .hit");
            await Task.WhenAll(on.WaitForNavigationAsync(), on.Mouse.UpAsync());
        }
    }

    [Fact]
    public async Task It_is_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await ThePage.Fill(app);
        foreach (var (path, picture, opened) in ((string, string, string)[])
                 [
                     ("/?panel=path&page=all", "overview-list", ".nothing"), // its links would be below a menu
                     ("/?action=view&range=7d", "overview-action", ".choices summary"),
                     ("/?filter=path:%2Fpage%2F1&range=90d&interval=week", "overview-filter", ".chart summary"),
                 ])
            foreach (var (width, scheme) in ((int, string)[])[(360, "dark"), (1280, "light")])
            {
                var tab = await reader.Open(app, path, width, scheme, language: width == 360 ? "de" : null);
                await tab.WaitForFunctionAsync("() => !document.querySelector('[data-load]')");
                await reader.AssertIsGood(tab, picture);
                foreach (var closed in await tab.QuerySelectorAllAsync(opened))
                {
                    await closed.ClickAsync();
                    await reader.AssertIsGood(tab, picture);
                }
                await tab.BrowserContext.CloseAsync();
            }
    }

    [Fact]
    public async Task What_cannot_be_is_as_if_it_were_not_there_and_a_note_that_cannot_be_is_refused()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: ["-timeZone", Zone]);
        await ThePage.Fill(app);
        var usual = await Events(app, Days(29, 0));
        foreach (var odd in (string[])
                 [
                     "first=2026-01-01", "first=2026-02-30&last=2026-03-01", "first=2026-03-02&last=2026-03-01",
                     "first=0001-01-01&last=9999-12-31", "range=Today", "compare=always", "interval=minute",
                     "filter=colour:red", "filter=path", "filter=path:", "filter=path:%00", "panel=colour",
                     "list=colour", "figures=all", "action=" + new string('x', 300), "action=%01",
                 ])
            Assert.Contains($">{usual}</data>", (await Html(app, "/?" + odd)).Body);
        foreach (var odd in (string[])["panel=path&page=0", "panel=path&page=-1", "panel=path&page=99999999999",
            "panel=path&search=" + new string('x', 300), "panel=path&search=%00&page=9", "panel=path&action=view"])
            Assert.Equal(200, (await Html(app, "/?" + odd)).Status);
        Assert.Equal(404, (await Html(app, "/list.csv")).Status);
        Assert.Equal(404, (await Html(app, "/list.csv?panel=colour")).Status);
        Assert.Equal(422, (await Html(app, "/list.csv?panel=path&action=view")).Status);

        foreach (var (form, status) in ((string, int)[])
                 [
                     ("day=2026-11-24&time=10:00&text=a", 303), ("day=2026-11-24&time=10:00&text=", 422),
                     ("day=2026-02-30&time=10:00&text=a", 422), ("day=2026-11-24&time=25:00&text=a", 422),
                     ("day=0001-01-01&time=00:00&text=a", 422), ("text=a", 422), ("remove=2020-01-01", 404),
                     ("remove=x", 422), ("remove=2026-11-24T04:15:00Z", 303),
                     ("day=2026-11-24&time=10:00&text=%01", 422),
                     ("day=2026-11-24&time=10:00&text=" + new string('x', 1_025), 422), (new string('x', 20_000), 400),
                 ])
            Assert.Equal((form, status), (form, (await Html(app, "/annotations", form)).Status));
        using var client = new HttpClient();
        using var foreign = new HttpRequestMessage(HttpMethod.Post, Address(app) + "/annotations")
        {
            Content = new FormUrlEncodedContent([new("day", "2026-11-24"), new("time", "10:00"), new("text", "a")]),
        };
        foreign.Headers.Add("Sec-Fetch-Site", "cross-site");
        foreign.Headers.Add("Accept", "text/html");
        Assert.Equal(403, (int)(await client.SendAsync(foreign)).StatusCode);
        Assert.Equal(0, (await app.Get("/api/annotations")).Body.GetProperty("annotations").GetArrayLength());
    }

    [Fact]
    public async Task The_first_visit_is_small()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await ThePage.Fill(app);
        var tab = await reader.Open(app, "/");
        var addresses = await tab.EvaluateExpressionAsync<string[]>(
            "['/', ...performance.getEntriesByType('resource').map(one => new URL(one.name).pathname)]");
        Assert.Contains(addresses, address => address.EndsWith("overview.js", StringComparison.Ordinal));
        var size = 0;
        foreach (var address in addresses)
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, address);
            request.Headers.TryAddWithoutValidation("Accept", "text/html");
            request.Headers.TryAddWithoutValidation("Accept-Encoding", "gzip");
            using var response = await app.Http.SendAsync(request);
            Assert.Contains("gzip", response.Content.Headers.ContentEncoding);
            size += (await response.Content.ReadAsByteArrayAsync()).Length;
        }
        Assert.InRange(size, 1, 120_000);
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static async Task Filters(AppProcess app, IPage tab)
    {
        var range = Days(29, 0);
        // a value, and the other dimension's values with it, which come later
        var page = (await ListRows(tab, "Pages")).First(name => name.StartsWith("/page/", StringComparison.Ordinal));
        await ClickRow(tab, "Pages", page);
        Assert.Equal("?filter=path%3A%2Fpage%2F" + page[6..], await Search(tab));
        Assert.Equal([page], await Texts(tab, ".filter bdi"));
        await tab.WaitForFunctionAsync("() => !document.querySelector('[data-load]')");
        string[] figures = [await Events(app, $"filter=path:{page}&{range}"), .. Enumerable.Repeat("\u2013", 5)];
        Assert.Equal(figures, await Texts(tab, ".number"));
        Assert.Equal(await Rows(app, $"breakdown?by=referrer&filter=path:{page}&limit=8&{range}"),
            await ListRows(tab, "Referrers"));
        Assert.Equal(await Rows(app, $"top?of=products&filter=path:{page}&limit=8&{range}"),
            await ListRows(tab, "Products"));
        Assert.Empty(await ListRows(tab, "Actions")); // the API does not know

        // and a product of these
        await ClickRow(tab, "Products", "docs");
        Assert.Equal(["docs", page], await Texts(tab, ".filter bdi"));
        Assert.Equal(await Events(app, $"product=docs&filter=path:{page}&{range}"), await Text(tab, ".number"));
        await Click(tab, ".filter ~ .filter a");
        Assert.Equal("?product=docs", await Search(tab));

        // an action
        await ClickRow(tab, "Actions", "buy");
        Assert.Equal("?product=docs&action=buy", await Search(tab));
        var sum = (await app.Get($"/api/totals?bucket=all&product=docs&action=buy&{range}")).Body
            .GetProperty("points")[0];
        Assert.Equal([Number(sum.GetProperty("events")), "\u2013", Number(sum.GetProperty("newFingerprints"))],
            (await Texts(tab, ".number"))[..3]);
        Assert.Equal(["buy", Number(sum.GetProperty("events"))], await ListRows(tab, "Actions"));
        await Click(tab, ".filter a");
        Assert.Equal("?action=buy", await Search(tab));
        var byProduct = (await app.Get($"/api/totals?bucket=all&groupBy=product&action=buy&{range}")).Body
            .GetProperty("points").EnumerateArray().OrderByDescending(one => one.GetProperty("events").GetInt64());
        Assert.Equal(byProduct.SelectMany(Cells), await ListRows(tab, "Products"));

        // what a client wrote is text, in the address too
        await tab.GoToAsync($"{Address(app)}/?filter={Uri.EscapeDataString("path:" + ThePage.Hostile)}");
        Assert.Equal(ThePage.Hostile, await Text(tab, ".filter bdi"));
        Assert.Equal(await Events(app, $"filter={Uri.EscapeDataString("path:" + ThePage.Hostile)}&{range}"),
            await Text(tab, ".number"));
    }

    private static async Task Ranges(AppProcess app, IPage tab)
    {
        foreach (var (name, days) in ((string, string)[])
                 [
                     ("today", Days(0, 0)), ("yesterday", Days(1, 1)), ("7d", Days(6, 0)), ("90d", Days(89, 0)),
                     ("12mo", Days(364, 0)), ("all", Days(1_000, 0)),
                 ])
        {
            await tab.GoToAsync($"{Address(app)}/?range={name}");
            Assert.Equal(await Events(app, days), await Text(tab, ".number"));
            Assert.Equal(name == "all",
                await tab.EvaluateExpressionAsync<bool>("!document.querySelector('.plot .earlier')"));
        }

        // two dates, by the form
        await tab.GoToAsync($"{Address(app)}/?product=shop");
        await tab.ClickAsync(".choices summary");
        await tab.EvaluateFunctionAsync(
            "(first, last) => { document.querySelector('[name=first]').value = first; "
            + "document.querySelector('[name=last]').value = last }", Iso(44), Iso(13));
        await Click(tab, ".choices form button");
        Assert.Equal($"?product=shop&first={Iso(44)}&last={Iso(13)}", await Search(tab));
        Assert.Equal(await Events(app, "product=shop&" + Days(44, 13)), await Text(tab, ".number"));

        // an interval has the sums of its days
        await Click(tab, ".intervals a:nth-child(2)");
        Assert.EndsWith("&interval=week&product=shop", await Search(tab));
        var byDay = (await app.Get($"/api/totals?product=shop&compare=previous&{Days(44, 13)}")).Body
            .GetProperty("points").EnumerateArray().ToList();
        Assert.Equal(byDay.GroupBy(point =>
            {
                var day = TimeZoneInfo.ConvertTimeFromUtc(point.GetProperty("time").GetDateTime(),
                    TimeZoneInfo.FindSystemTimeZoneById(Zone));
                return day.AddDays(-(((int)day.DayOfWeek + 6) % 7));
            }).Reverse().SelectMany(week => (string[])
            [
                Sum(week, point => point.GetProperty("events")),
                Sum(week, point => point.GetProperty("compared").GetProperty("events")),
            ]), await Texts(tab, ".chart tbody td"));

        // and a comparison
        await tab.GoToAsync($"{Address(app)}/?range=7d&compare=none");
        Assert.Empty(await Texts(tab, ".chart .earlier, .figure .up, .figure .down"));
        await tab.GoToAsync($"{Address(app)}/?range=7d&compare=previous");
        var compared = (await app.Get($"/api/totals?bucket=all&compare=previous&{Days(6, 0)}")).Body
            .GetProperty("points")[0].GetProperty("compared");
        Assert.Equal($"from {Number(compared.GetProperty("events"))}", await Text(tab, ".figure .then"));
        await tab.GoToAsync($"{Address(app)}/?range=7d&compare=year"); // nothing was before
        Assert.Equal("new", (await Text(tab, ".figure .change")).Trim());
    }

    private static async Task Notes(AppProcess app, IPage tab)
    {
        await tab.GoToAsync($"{Address(app)}/?range=7d");
        await tab.ClickAsync(".chart > details:last-child summary");
        await tab.EvaluateFunctionAsync("day => { document.querySelector('[name=day]').value = day; "
            + "document.querySelector('[name=time]').value = '00:10' }", Iso(2));
        await tab.TypeAsync("[name=text]", "Release <b>2</b>");
        await Click(tab, ".add-note button");
        Assert.Equal("?range=7d", await Search(tab));
        var note = (await app.Get("/api/annotations")).Body.GetProperty("annotations")[0];
        Assert.Equal("Release <b>2</b>", note.GetProperty("text").GetString());
        Assert.Equal(TimeZoneInfo.ConvertTimeToUtc(Now.Date.AddDays(-2).AddMinutes(10),
            TimeZoneInfo.FindSystemTimeZoneById(Zone)), note.GetProperty("time").GetDateTime());
        Assert.Equal("Release <b>2</b>", await Text(tab, ".chart tbody tr:nth-child(3) .note"));
        Assert.Equal(1, await tab.EvaluateExpressionAsync<int>(
            "document.querySelectorAll('.column:nth-of-type(5) .mark').length"));
        await Click(tab, ".notes button");
        Assert.Empty(await Texts(tab, ".note, .mark"));
        Assert.Equal(0, (await app.Get("/api/annotations")).Body.GetProperty("annotations").GetArrayLength());
    }

    private static async Task Lists(AppProcess app, IPage tab)
    {
        await tab.GoToAsync($"{Address(app)}/?range=90d");
        await Click(tab, ".list:nth-child(3) header a");
        Assert.Equal("?range=90d&panel=path", await Search(tab));
        var rows = await Rows(app, "breakdown?by=path&limit=1000&" + Days(89, 0));
        Assert.Equal(rows, await Texts(tab, ".list tbody :is(bdi, td:nth-child(2))"));
        await tab.TypeAsync("[type=search]", "PAGE/1");
        await Click(tab, ".search button");
        Assert.Equal(
            rows.Chunk(2).Where(row => row[0].Contains("page/1", StringComparison.Ordinal)).SelectMany(row => row),
            await Texts(tab, ".list tbody :is(bdi, td:nth-child(2))"));
        var csv = await Csv(tab);
        Assert.Equal(rows.Chunk(2).Select(row => row[1].Replace(",", "")),
            csv.Split("\r\n")[1..^1].Select(line => line.Split(',')[^2]));
        Assert.StartsWith("path,events,earlier\r\n", csv);

        // a hundred rows a page, and no formulas
        var batch = Enumerable.Range(0, 250).Select(i => JsonSerializer.Serialize(
            new { action = "=" + i, product = "many", fingerprint = "f" }));
        await app.Post(System.Text.Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
            path: Requests.BatchPath);
        await tab.GoToAsync($"{Address(app)}/?product=many&panel=actions&page=3");
        Assert.Equal(50, (await Texts(tab, ".list tbody tr")).Length);
        await Click(tab, ".paging a:last-child");
        Assert.Equal(250, (await Texts(tab, ".list tbody tr")).Length);
        csv = await Csv(tab);
        Assert.All(csv.Split("\r\n")[1..^1], line => Assert.StartsWith("'=", line));
    }

    private static Task<string> Csv(IPage tab) => tab.EvaluateExpressionAsync<string>(
        "fetch(document.querySelector('[download]').href, { headers: { accept: 'text/html' } })"
        + ".then(got => got.text())");

    private static async Task ClickRow(IPage tab, string list, string name)
    {
        await tab.WaitForExpressionAsync("!document.querySelector('main [data-load]')"); // else it may be replaced
        await tab.EvaluateFunctionAsync("(list, name) => { [...document.querySelectorAll('.list')]"
            + ".find(one => one.querySelector('h2').textContent === list).querySelectorAll('tbody a')"
            + ".forEach(a => { if (a.textContent === name) a.id = 'wanted' }) }", list, name);
        await Click(tab, "#wanted");
    }

    private static async Task<string[]> ListRows(IPage tab, string list)
    {
        var place = Array.IndexOf(await Texts(tab, ".list h2"), list) + 1;
        return await Texts(tab, $".list:nth-child({place}) tbody :is(bdi, td:nth-child(2))");
    }

    private static async Task<string[]> Rows(AppProcess app, string question)
    {
        var body = (await app.Get("/api/" + question)).Body;
        return [.. (body.TryGetProperty("top", out var top) ? top : body.GetProperty("values")).EnumerateArray()
            .SelectMany(Cells)];
    }

    private static string[] Cells(JsonElement row) =>
    [
        row.EnumerateObject().First(one => one.Name is "product" or "action" or "value").Value.GetString()!,
        Number(row.GetProperty("events")),
    ];

    private static async Task<string> Events(AppProcess app, string question) =>
        Number((await app.Get("/api/totals?bucket=all&" + question)).Body.GetProperty("points")[0]
            .GetProperty("events"));

    private static string Sum(IEnumerable<JsonElement> points, Func<JsonElement, JsonElement> of) =>
        points.Sum(point => of(point).GetInt64()).ToString("N0", CultureInfo.InvariantCulture);

    private static string Days(int first, int last) => $"from={Iso(first)}&to={Iso(last - 1)}";

    private static async Task<(int Status, string Body)> Html(AppProcess app, string path, string? form = null)
    {
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        using var request = new HttpRequestMessage(form is null ? HttpMethod.Get : HttpMethod.Post, Address(app) + path)
        {
            Content = form is null ? null
                : new StringContent(form, System.Text.Encoding.UTF8, "application/x-www-form-urlencoded"),
        };
        request.Headers.Add("Accept", "text/html");
        using var answer = await client.SendAsync(request);
        return ((int)answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static string Iso(int daysAgo) =>
        Now.AddDays(-daysAgo).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    private static async Task<string> Row(IPage tab, int row) =>
        (await Texts(tab, ".chart tbody tr time"))[row];

    private static Task<string> Search(IPage tab) => tab.EvaluateExpressionAsync<string>("location.search");

    private static Task<string> Attribute(IPage tab, string selector, string name) =>
        tab.EvaluateFunctionAsync<string>(
            "(selector, name) => document.querySelector(selector).getAttribute(name)", selector, name);
}
