using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>The pages of funnels and of who came back.</summary>
public sealed class WhatPeopleDid(PostgresServer server) : IAsyncDisposable
{
    private const string Hostile = "<img src=x onerror=\"document.title='hit'\">\u202e";

    private readonly PageReader reader = new();

    [Theory, EachStorage]
    public async Task Their_numbers_are_those_of_the_API(StorageKind storage)
    {
        await using var database = await TestDatabase.Create(storage, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);

        var tab = await reader.Open(app, "/retention");
        await tab.TypeAsync("[name=product]", "shop");
        await Click(tab, "form.bar button");
        await Click(tab, ".ranges a:last-child");
        Assert.Equal("?period=month&product=shop", await tab.EvaluateExpressionAsync<string>("location.search"));
        var cohorts = (await app.Get("/api/retention?period=month&product=shop")).Body.GetProperty("cohorts");
        Assert.Equal(
            cohorts.EnumerateArray().SelectMany(cohort => (string[])
            [
                Number(cohort.GetProperty("fingerprints")),
                .. cohort.GetProperty("fingerprints").GetInt64() == 0 ? []
                    : cohort.GetProperty("returned").EnumerateArray().Select(Number),
            ]), await Texts(tab, ".cohorts data"));

        await tab.GoToAsync(Address(app) + "/funnels");
        var steps = await tab.QuerySelectorAllAsync("[name=step]");
        await steps[0].TypeAsync("view");
        await steps[1].TypeAsync("signup");
        await steps[2].TypeAsync("buy[path=/pay]");
        await tab.SelectAsync("[name=by]", "referrer");
        await Click(tab, ".question button");
        var funnel = (await app.Get("/api/funnel?steps=view,signup,buy[path=/pay]&breakdown=referrer")).Body;
        Assert.Equal(
            funnel.GetProperty("steps").EnumerateArray().Select(step => Number(step.GetProperty("fingerprints"))),
            await Texts(tab, ".panel:nth-of-type(2) data"));
        Assert.Equal(
            funnel.GetProperty("values").EnumerateArray().SelectMany(value => value.GetProperty("steps")
                .EnumerateArray()).Select(step => Number(step.GetProperty("fingerprints"))),
            await Texts(tab, ".panel:nth-of-type(3) data"));
        Assert.Contains(Hostile, await Texts(tab, ".panel:nth-of-type(3) th"));
        Assert.Equal(4, (await tab.QuerySelectorAllAsync(".steps input")).Length); // and one for the next
        await reader.AssertIsGood(tab, "funnel");

        // kept by a name, it answers the same
        var shown = await Texts(tab, ".panel:nth-of-type(2) td");
        await tab.TypeAsync("[name=name]", "signup-2");
        await Click(tab, "[action='/funnels/keep'] button");
        Assert.Equal("?kept=signup-2", await tab.EvaluateExpressionAsync<string>("location.search"));
        Assert.Equal(shown, await Texts(tab, ".panel:nth-of-type(2) td"));
        await reader.AssertIsGood(tab, "funnel-kept");
        await Click(tab, "[action='/funnels/remove'] button");
        Assert.Empty((await app.Get("/api/funnels")).Body.GetProperty("funnels").EnumerateArray());
        await tab.GoBackAsync();
        await tab.GoBackAsync();
        await tab.GoBackAsync();
        await tab.GoForwardAsync();
        Assert.Equal("signup", await tab.EvaluateExpressionAsync<string>(
            "document.querySelectorAll('[name=step]')[1].value"));
        reader.AssertNoComplaints();
    }

    [Fact]
    public async Task They_are_for_everyone_and_say_what_is_wrong()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database);
        await Fill(app);
        await reader.AssertIsGoodEverywhere(app, "/retention", "retention");
        await reader.AssertIsGoodEverywhere(app, "/funnels?step=view&step=signup&step=buy", "funnels");
        await reader.AssertIsGood(await reader.Open(app, "/funnels?step=view&step=signup", language: "de"),
            "funnels-german");
        foreach (var (wrong, says) in ((string, string)[])
                 [
                     ("step=view[&step=buy", "steps"), ("step=a&step=b&within=1y", "within"),
                     ("step=a&step=b&from=2020-01-01&to=2026-01-01", "days"),
                     ("step=a&step=" + new string('x', 300), "steps"),
                 ])
        {
            var tab = await (await reader.Open(app, "/")).BrowserContext.NewPageAsync();
            var answer = await tab.GoToAsync($"{Address(app)}/funnels?{wrong}");
            Assert.Equal(422, (int)answer.Status);
            Assert.Contains(says, await Text(tab, "[role=alert]"), StringComparison.OrdinalIgnoreCase);
        }
        foreach (var odd in (string[])["/funnels?step=&from=x&to=9999-12-31", "/retention?period=x&period=y"])
            Assert.Equal("Tally", (await Text(await reader.Open(app, odd), ".brand")).Trim());
        reader.AssertNoComplaints();
    }

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    private static async Task Fill(AppProcess app)
    {
        var random = new Random(Seed.Next());
        var now = DateTime.UtcNow;
        var batch = Enumerable.Range(0, 2_000).Select(i => JsonSerializer.Serialize(new
        {
            action = random.Next(4) switch { 0 => "buy", 1 => "signup", _ => "view" },
            product = random.Next(4) == 0 ? "docs" : "shop",
            fingerprint = $"visitor-{random.Next(300)}",
            timestamp = now.AddMinutes(-random.Next(70 * 24 * 60)).ToString("O", CultureInfo.InvariantCulture),
            properties = new
            {
                path = random.Next(2) == 0 ? "/pay" : "/", referrer = random.Next(3) == 0 ? Hostile : "news.example",
            },
        }));
        Assert.Equal(2_000, (await app.Post(Encoding.UTF8.GetBytes($"[{string.Join(',', batch)}]"), "application/json",
            path: Requests.BatchPath + "?history=true")).Batch.Recorded);
    }
}
