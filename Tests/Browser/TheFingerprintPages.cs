using System.Text;
using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>The list of fingerprints and the page of one, in a real browser.</summary>
public sealed class TheFingerprintPages(PostgresServer server) : IAsyncDisposable
{
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e&of=x#y";

    private readonly PageReader reader = new();

    [Theory]
    [InlineData(StorageKind.Sqlite, "UTC")]
    [InlineData(StorageKind.Postgres, "Asia/Kathmandu")]
    public async Task Their_numbers_are_those_of_the_API(StorageKind storage, string zone)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database, flags: ["-timeZone", zone]);
        await Fill(app);
        var tab = await reader.Open(app, "/fingerprints");
        foreach (var sort in (string[])["recent", "first", "total"])
        {
            await tab.GoToAsync($"{Address(app)}/fingerprints?sort={sort}&product=shop");
            var all = (await app.Get($"/api/fingerprints?sort={sort}&product=shop&limit=1000")).Body
                .GetProperty("fingerprints").EnumerateArray().SelectMany(one => (string[])
                    [one.GetProperty("fingerprint").GetString()!, Number(one.GetProperty("total"))]).ToList();
            Assert.Equal(all[..100], await Texts(tab, ".fingerprints tbody :is(bdi, td:nth-child(2))"));
            await Click(tab, ".older a");
            Assert.Equal(all[100..], await Texts(tab, ".fingerprints tbody :is(bdi, td:nth-child(2))"));
        }

        // its own page
        await tab.GoToAsync($"{Address(app)}/fingerprint?of={Uri.EscapeDataString(Hostile)}");
        Assert.Equal(Hostile, await Text(tab, "h1"));
        Assert.Equal(0, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('main img').length"));
        var view = (await app.View(Hostile)).Body;
        Assert.Equal([Number(view.GetProperty("total")), Number(view.GetProperty("daysActive"))],
            await Texts(tab, ".number"));
        Assert.Equal([view.GetProperty("firstSeen").GetDateTime(), view.GetProperty("lastSeen").GetDateTime()],
            await tab.EvaluateExpressionAsync<DateTime[]>(
                "[...document.querySelectorAll('.date time')].map(time => time.dateTime)"));
        Assert.Equal(view.GetProperty("counts").EnumerateArray()
                .OrderByDescending(count => count.GetProperty("count").GetInt64()).SelectMany(count => (string[])
                    [count.GetProperty("product").GetString()!, count.GetProperty("action").GetString()!,
                        Number(count.GetProperty("count"))]),
            (await Texts(tab, ".pair .list:first-child > table tbody :is(bdi, td:last-child)")));
        Assert.Equal((await app.Get(Requests.Path(Hostile) + "/values")).Body.GetProperty("values").EnumerateObject()
            .SelectMany(value => (string[])[value.Name, value.Value.GetString()!]), await Texts(tab, ".pair .list:last-child bdi"));
        var days = (await app.Get(Requests.Path(Hostile) + "/activity")).Body.GetProperty("days").EnumerateArray()
            .Reverse().SelectMany(day => (string[])[day.GetProperty("day").GetString()!, Number(day.GetProperty("events"))]);
        Assert.Equal(days, await tab.EvaluateExpressionAsync<string[]>(
            "[...document.querySelectorAll('#about details tbody :is(a, td)')].map(one => one.href ? new URL(one.href).searchParams.get('day') : one.textContent.trim())"));

        // to the end of its timeline
        var events = (await app.Get(Requests.Path(Hostile) + "/timeline?limit=1000")).Body.GetProperty("events")
            .EnumerateArray().ToList();
        Assert.True(events.Count > 200);
        await Eventually.True(async () =>
        {
            await tab.EvaluateExpressionAsync("scrollTo(0, document.body.scrollHeight)");
            return await tab.QuerySelectorAsync(".older") is null;
        }, "The timeline does not end.");
        await ShowsTimeline(app, tab, events);

        // one page after another, as without a script
        await tab.SetJavaScriptEnabledAsync(false);
        await tab.GoToAsync($"{Address(app)}/fingerprint?of={Uri.EscapeDataString(Hostile)}");
        var found = new List<string>();
        for (found.AddRange(await Sequences(tab)); await tab.QuerySelectorAsync(".older a") is not null;
             found.AddRange(await Sequences(tab))) await Click(tab, ".older a");
        Assert.Equal(events.Select(SequenceOf), found);

        // a day
        var day = events[120].GetProperty("occurred").GetDateTime();
        var on = TimeZoneInfo.ConvertTimeFromUtc(day, TimeZoneInfo.FindSystemTimeZoneById(zone)).Date;
        await tab.GoToAsync($"{Address(app)}/fingerprint?of={Uri.EscapeDataString(Hostile)}&day={on:yyyy-MM-dd}");
        var until = (await app.Get($"{Requests.Path(Hostile)}/timeline?to={on.AddDays(1):yyyy-MM-dd}")).Body;
        Assert.Equal(until.GetProperty("events").EnumerateArray().Select(SequenceOf), await Sequences(tab));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task One_is_found_by_its_name_or_by_an_event()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        foreach (var fingerprint in (string[])["ada", "eve"])
            Assert.Equal(200, (await app.PostForm($"action=buy&product=shop&fingerprint={fingerprint}&id=order-1")).Status);
        var sequence = (await app.PostForm($"action=buy&product=shop&fingerprint={Uri.EscapeDataString(Hostile)}&id=order-2"
            + $"&timestamp={DateTime.UtcNow.AddDays(-9):O}")).Sequence;
        var tab = await reader.Open(app, "/fingerprints");

        await Find(tab, Hostile);
        Assert.Equal(Hostile, await Text(tab, "h1"));
        await Find(tab, "order-2");
        Assert.Equal((Hostile, "buy"), (await Text(tab, "h1"), await Text(tab, ".marked bdi")));
        Assert.Equal($"{sequence}", (await Sequences(tab))[0]);
        await Find(tab, "order-1");
        Assert.Equal(["ada", "eve"], await Texts(tab, ".found a"));
        await tab.Keyboard.PressAsync("j");
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.Keyboard.PressAsync("Enter"));
        Assert.Equal("ada", await Text(tab, "h1"));
        foreach (var unknown in (string[])["nobody", Hostile + "x", new string('x', 500), "a\u0001"])
        {
            await tab.GoToAsync($"{Address(app)}/fingerprints?find={Uri.EscapeDataString(unknown)}");
            Assert.Equal(unknown, await Text(tab, ".found bdi"));
        }
        reader.AssertNoComplaints();

        await tab.GoToAsync($"{Address(app)}/fingerprint?of=nobody");
        Assert.Equal("nobody", await Text(tab, ".message bdi"));
        reader.Forgive(); // its status, 404
        await tab.GoToAsync($"{Address(app)}/fingerprint");
        Assert.Equal($"{Address(app)}/fingerprints", tab.Url);
        await tab.GoToAsync($"{Address(app)}/fingerprints?sort=oldest");
        Assert.Contains("sort must be recent, first or total", await Text(tab, ".message"));
    }

    [Fact]
    public async Task Its_new_events_come_on_top()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        var tab = await reader.Open(app, $"/fingerprint?of={Uri.EscapeDataString(Hostile)}");
        var before = (await app.View(Hostile)).Body.GetProperty("total").GetInt64();
        await tab.ClickAsync("[data-sequence] summary");
        await tab.EvaluateExpressionAsync("document.querySelector('.older a').scrollIntoView()");
        await Eventually.True(async () => (await Sequences(tab)).Length > 150, "Nothing older comes.");
        await Buy(app);
        await Shows(before + 1);
        Assert.Equal(1, await tab.EvaluateExpressionAsync<int>("document.querySelectorAll('.properties[open]').length"));

        // nothing is kept open, nor missed, while nobody looks
        await Look(false);
        await Eventually.True(async () => (await PrometheusText.Scrape(app)).Sum("tally_live_readers") == 0, "It is followed unseen.");
        await Buy(app);
        await Buy(app);
        await Look(true);
        await Shows(before + 3);
        reader.AssertNoComplaints();

        await ShowsTimeline(app, tab, [.. (await app.Get(Requests.Path(Hostile) + "/timeline?limit=1000")).Body
            .GetProperty("events").EnumerateArray().Take((await Sequences(tab)).Length)]);
        Assert.Equal(200, (await app.Send(new(HttpMethod.Delete, Requests.Path(Hostile)))).Status);
        await tab.WaitForSelectorAsync(".message"); // it is gone

        async Task Shows(long events)
        {
            await Eventually.True(async () => (await Sequences(tab))[0] == $"{events}", "The event does not come.");
            Assert.Equal([$"{events}"], (await Texts(tab, ".number"))[..1]);
        }
        Task Look(bool isSeen) => tab.EvaluateFunctionAsync("isSeen => { Object.defineProperty(document, 'hidden', "
            + "{ value: !isSeen, configurable: true }); document.dispatchEvent(new Event('visibilitychange')) }", isSeen);
    }

    [Fact]
    public async Task They_are_for_everyone()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, flags: ["-fingerprints", "server"]);
        await Fill(app);
        await reader.AssertIsGoodEverywhere(app, "/fingerprints", "fingerprints");
        await reader.AssertIsGoodEverywhere(app, "/fingerprint?of=visitor-7", "fingerprint");
        await reader.AssertIsGoodEverywhere(app, $"/fingerprint/erase?of={Uri.EscapeDataString(Hostile)}", "erase");
        var tab = await reader.Open(app, "/fingerprints?sort=first&find=nobody", 360, language: "de");
        Assert.Contains("nichts kann sie verbinden", await Text(tab, ".note"));
        await reader.AssertIsGood(tab, "fingerprints-german");
        tab = await reader.Open(app, $"/fingerprint?of={Uri.EscapeDataString(Hostile)}&event=3", 360, language: "de");
        await tab.ClickAsync(".marked summary");
        await reader.AssertIsGood(tab, "fingerprint-german");
    }

    [Fact]
    public async Task A_part_that_is_not_answered_leaves_the_rest()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        Assert.Equal(200, (await app.PostForm("action=view&product=shop&fingerprint=ada")).Status);
        await database.Execute("alter table visits rename to elsewhere");
        var tab = await reader.Open(app, "/fingerprint?of=ada");
        Assert.Contains("no answer in time", await Text(tab, ".chart .none"));
        Assert.Equal("1", await Text(tab, ".number"));
        Assert.Single(await Sequences(tab));
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static async Task Find(IPage tab, string text)
    {
        await tab.Keyboard.PressAsync("/");
        await tab.EvaluateFunctionAsync("text => document.querySelector('#find').value = text", text);
        await Task.WhenAll(tab.WaitForNavigationAsync(), tab.Keyboard.PressAsync("Enter"));
    }

    private static async Task Buy(AppProcess app) => Assert.Equal(200,
        (await app.PostForm($"action=buy&product=shop&fingerprint={Uri.EscapeDataString(Hostile)}")).Status);

    private static Task<string[]> Sequences(IPage tab) => tab.EvaluateExpressionAsync<string[]>(
        "[...document.querySelectorAll('[data-sequence]')].map(event => event.dataset.sequence)");

    private static string SequenceOf(JsonElement e) => e.GetProperty("sequence").GetRawText();

    // Each event once, in its session; sessions as the API has them.
    private static async Task ShowsTimeline(AppProcess app, IPage tab, List<JsonElement> events)
    {
        Assert.Equal(events.Select(SequenceOf).Order(), (await Sequences(tab)).Order());
        var oldest = events[^1].GetProperty("occurred").GetDateTime();
        var sessions = (await app.Get(Requests.Path(Hostile) + "/sessions?limit=1000")).Body.GetProperty("sessions")
            .EnumerateArray().Where(session => session.GetProperty("end").GetDateTime() >= oldest)
            .Select(session => $"{session.GetProperty("product").GetString()} {session.GetProperty("start").GetDateTime():O} "
                + $"{session.GetProperty("end").GetDateTime():O}, {session.GetProperty("events")} event");
        var shown = await tab.EvaluateExpressionAsync<string[]>("""
            [...document.querySelectorAll('.session')].map(session => {
              const times = [...session.querySelectorAll('h3 time')].map(time => time.dateTime)
              return `${session.querySelector('h3 bdi').textContent} ${times[0]} ${times.at(-1)}, `
                + session.querySelector('.facts').textContent.split(/s?(,|$)/)[0]
            })
            """);
        Assert.Equal(sessions.Order(), shown.Order());
    }

    private static async Task Fill(AppProcess app)
    {
        var random = new Random(Seed.Next());
        var now = DateTime.UtcNow;
        var batch = Enumerable.Range(0, 1_200).Select(i => JsonSerializer.Serialize(new
        {
            action = random.Next(8) == 0 ? "buy" : "view",
            product = i % 4 > 0 || random.Next(3) > 0 ? "shop" : "docs",
            fingerprint = i < 240 ? Hostile : $"visitor-{i % 80}",
            timestamp = now.AddDays(-random.Next(random.Next(300))).AddMinutes(-random.Next(90)),
            properties = new { path = $"/page/{random.Next(12)}", note = random.Next(9) == 0 ? Hostile : "plain" },
        }));
        Assert.Equal(1_200, (await app.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
            path: Requests.BatchPath + "?history=true")).Batch.Recorded);
    }
}
