using PuppeteerSharp;

namespace Tally.Tests.Harness;

/// <summary>A browser, a website, and the Tally that its pages send to from another origin.</summary>
public abstract class Stage(PostgresServer server) : IAsyncLifetime
{
    private readonly Chromium chromium = new();
    private readonly int port = FreePort.Next();
    private Website? site;

    /// <summary>Tally's, as the pages know it.</summary>
    public string Address => $"http://127.0.0.1:{port}";

    protected TestDatabase? Database { get; private set; }

    protected AppProcess? App { get; private set; }

    /// <summary>The key of the site's pages, perhaps with its products; null if no key is needed.</summary>
    protected virtual string? WriteKey => null;

    /// <summary>How Tally is started, in addition to what the site needs.</summary>
    protected virtual string[] Flags => [];

    public async ValueTask InitializeAsync()
    {
        site = await StartSite();
        Database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await StartTally();
    }

    public async Task StartTally() => App = await AppProcess.Start(Database!,
        WriteKey is null ? null : new() { ["APP_WRITE_KEYS"] = $"{WriteKey};origins={site!.Origin}" }, port,
        ["-corsOrigins", site!.Origin, .. Flags]);

    /// <summary>Kills it with SIGKILL. Nothing listens until it is started again.</summary>
    public async Task KillTally()
    {
        await App!.Kill();
        await App.DisposeAsync();
    }

    public Task<IBrowserContext> NewVisitor() => chromium.NewVisitor();

    public string Url(string path) => $"{site!.Origin}/{path}";

    /// <summary>A tab with a page of the site, whose scripts have run.</summary>
    public async Task<IPage> OpenTab(IBrowserContext visitor, string path)
    {
        var tab = await visitor.NewPageAsync();
        await tab.GoToAsync(Url(path));
        return tab;
    }

    /// <summary>Waits until the log has this many events of a product, and no more.</summary>
    public async Task<List<TrackedEvent>> Counts(string product, int expected)
    {
        var events = await Reaches(product, expected);
        Assert.Equal(expected, events.Count);
        return events;
    }

    /// <summary>Waits until the log has this many events of a product, or more.</summary>
    public async Task<List<TrackedEvent>> Reaches(string product, int expected)
    {
        List<TrackedEvent> events = [];
        await Eventually.True(async () => (events = await Events(product)).Count >= expected,
            () => $"{events.Count} of {expected} events are there: "
                + string.Join(' ', events.CountBy(one => one.Action)));
        return events;
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await chromium.DisposeAsync();
        if (App is not null) await App.DisposeAsync();
        if (Database is not null)
        {
            await AppProcess.AssertVerifies(Database);
            await Database.DisposeAsync();
        }
        if (site is not null) await site.DisposeAsync();
    }

    /// <summary>By default one with the packages of Tests/Sdk.</summary>
    protected virtual async Task<Website> StartSite()
    {
        await NodePackages.Ready();
        return await Website.WithModules(NodePackages.Folder);
    }

    /// <summary>A product's events that are to be counted.</summary>
    protected virtual Task<List<TrackedEvent>> Events(string product) => new Shared(App!, Database!).Events(product);
}
