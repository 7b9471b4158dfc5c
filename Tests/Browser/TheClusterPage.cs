using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;
using static Tally.Tests.Browser.PageReader;

namespace Tally.Tests.Browser;

/// <summary>The silos and the database, in a real browser.</summary>
[Collection<Clusters>]
public sealed class TheClusterPage(PostgresServer server) : IAsyncDisposable
{
    private readonly PageReader reader = new();

    [Fact]
    public async Task Each_of_two_silos_shows_both_and_one_that_dies()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 1, Patient("first"));
        await silos.Join(Patient("a-second"));
        await Fill(silos[0]);
        foreach (var place in (int[])[0, 1])
        {
            var tab = await reader.Open(silos[place], "/");
            await Click(tab, ".pages a[href='/cluster']");
            Assert.Equal("Cluster - Tally", await tab.GetTitleAsync());
            Assert.Equal(["a-second", "first"], await Texts(tab, ".silo h2 bdi"));
            Assert.Equal(["active", "active"], await Texts(tab, ".silo .state.well"));
            await ShowsFigures(silos[1 - place], tab);
            await tab.BrowserContext.CloseAsync();
        }
        await reader.AssertIsGoodEverywhere(silos[0], "/cluster", "cluster");

        var last = await reader.Open(silos[0], "/cluster");
        await silos[1].Kill();
        await Eventually.True(async () => (await silos[0].Get("/api/cluster")).Body.GetProperty("silos")[1]
            .GetProperty("state").GetString() == "dead", "it is not dead");
        await PassAMinute(last); // it renews itself
        await last.WaitForSelectorAsync(".runs li");
        Assert.Equal(["first"], await Texts(last, ".silo h2 bdi"));
        Assert.Equal(["a-second"], await Texts(last, ".runs bdi"));
        await reader.AssertIsGood(last, "cluster-death");
    }

    [Fact]
    public async Task One_that_does_not_answer_is_shown_as_such()
    {
        await using var database = await TestDatabase.Create(StorageKind.Postgres, server);
        await using var silos = await Silos.Start(database, 2);
        await reader.Open(silos[0], "/cluster"); // the browser is there before the others take the silo for dead
        silos[1].Signal(19);
        var tab = await reader.Open(silos[0], "/cluster");
        Assert.Equal(["does not answer"], await Texts(tab, ".state:not(.well)"));
        Assert.Single(await Texts(tab, ".silo .facts"));
        await reader.AssertIsGood(tab, "cluster-silent");
        silos[1].Signal(18);
    }

    [Fact]
    public async Task With_SQLite_there_is_one()
    {
        await using var database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await using var app = await AppProcess.Start(database, new() { ["APP_SILO_NAME"] = "alone" });
        var tab = await reader.Open(app, "/cluster");
        Assert.Equal(["none", "none", "none"], await Texts(tab, "dd:is(.p50, .p99, .remote)"));
        await Fill(app);
        await tab.ReloadAsync();
        Assert.Equal(["alone"], await Texts(tab, ".silo h2 bdi"));
        await ShowsFigures(app, tab);
        await reader.AssertIsGood(await reader.Open(app, "/cluster", 360, language: "de"), "cluster-german");
    }

    // A busy machine is no reason to be shown without figures.
    private static Dictionary<string, string> Patient(string name) =>
        new() { ["APP_SILO_NAME"] = name, ["Limits__SiloAnswerMillisecondsMax"] = "30000" };

    public ValueTask DisposeAsync() => reader.DisposeAsync();

    // Commit times change while one looks.
    private static async Task ShowsFigures(AppProcess app, IPage tab)
    {
        var answer = (await app.Get("/api/cluster")).Body;
        var database = answer.GetProperty("database");
        Assert.Equal([$"{database.GetProperty("kind").GetString()} {database.GetProperty("version").GetString()}",
            Number(database.GetProperty("events"))], (await Texts(tab, ".database dd")).Where((_, i) => i != 1));
        var silos = answer.GetProperty("silos").EnumerateArray().ToList();
        Assert.Equal(silos.Select(silo => silo.GetProperty("address").GetString()), await Texts(tab, ".silo code"));
        foreach (var (name, shown) in ((string, string)[])
            [("fingerprints", ".memory"), ("commitQueue", ".queue"), ("repeated", ".repeated")])
            Assert.Equal(silos.Select(silo => Number(silo.GetProperty("figures").GetProperty(name))),
                await Texts(tab, shown));
        Assert.Equal(silos.Select(silo => $"{silo.GetProperty("figures").GetProperty("refused").EnumerateObject()
            .Sum(reason => reason.Value.GetInt64())}"), await Texts(tab, ".refused"));
        Assert.Equal(silos.Select(silo => silo.GetProperty("figures").TryGetProperty("remoteShare", out var share)
            ? FormattableString.Invariant($"{share.GetDouble() * 100:0.0}%") : "none"), await Texts(tab, ".remote"));
        Assert.All(await Texts(tab, ".p50"), time => Assert.Matches(@"^\d+(\.\d)? ms$", time));
    }

    private static async Task Fill(AppProcess app)
    {
        Assert.Equal(2_000, (await app.PostBatch(JsonSerializer.Serialize(Enumerable.Range(0, 2_000).Select(i => new
        {
            action = "view", product = "shop", fingerprint = $"visitor-{i % 1_234}",
        })))).Batch.Recorded);
        Assert.Equal(200, (await app.PostForm("action=a&product=shop&fingerprint=b&id=c")).Status);
        Assert.True((await app.PostForm("action=a&product=shop&fingerprint=b&id=c")).Duplicate);
        Assert.Equal(422, (await app.PostForm("action=a")).Status);
    }
}
