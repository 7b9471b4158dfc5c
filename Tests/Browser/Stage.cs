using System.Text.Json;
using PuppeteerSharp;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>A browser, a site with the script tag, and the Tally that it posts to.</summary>
public sealed class Stage(PostgresServer server) : IAsyncLifetime
{
    private const string WriteKey = "of-the-site/0123456789+";

    private readonly Chromium chromium = new();
    private readonly int port = FreePort.Next();
    private TestDatabase? database;
    private AppProcess? app;
    private Website? site;

    public async ValueTask InitializeAsync()
    {
        site = await Website.Start(port, WriteKey);
        database = await TestDatabase.Create(StorageKind.Sqlite, server);
        await StartTally();
    }

    public async Task StartTally() => app = await AppProcess.Start(
        database!, new() { ["APP_WRITE_KEYS"] = $"{WriteKey};origins={site!.Origin}" }, port,
        ["-corsOrigins", site.Origin]);

    /// <summary>Kills it with SIGKILL. Nothing listens until it is started again.</summary>
    public async Task KillTally()
    {
        await app!.Kill();
        await app.DisposeAsync();
    }

    public Task<IBrowserContext> NewVisitor() => chromium.NewVisitor();

    public string Url(string product) => $"{site!.Origin}/{product}";

    /// <summary>The URL for events that a page posts itself.</summary>
    public string EventsUrl => $"http://127.0.0.1:{port}/api/events?writeKey={Uri.EscapeDataString(WriteKey)}";

    public string PixelUrl(string product) =>
        $"http://127.0.0.1:{port}/api/pixel.gif?writeKey={Uri.EscapeDataString(WriteKey)}&action=open&product={product}&fingerprint=f";

    /// <summary>The script's hash, for an integrity attribute.</summary>
    public async Task<string> ScriptHash() =>
        "sha256-" + Convert.ToBase64String(
            System.Security.Cryptography.SHA256.HashData(await app!.Http.GetByteArrayAsync("/tally.js")));

    /// <summary>A tab with a page of the product, whose script has run.</summary>
    public async Task<IPage> OpenTab(IBrowserContext visitor, string product)
    {
        var tab = await visitor.NewPageAsync();
        await tab.GoToAsync(Url(product));
        return tab;
    }

    /// <summary>Waits until the log has this many events of a product, and no more.</summary>
    public async Task<List<LoggedEvent>> Counts(string product, int events)
    {
        var logged = await Reaches(product, events);
        Assert.Equal(events, logged.Count);
        return logged;
    }

    public async Task<List<LoggedEvent>> Reaches(string product, int events)
    {
        List<LoggedEvent> logged = [];
        await Eventually.True(async () => (logged = await Events(product)).Count >= events,
            () => $"{logged.Count} of {events} events are there.", seconds: 60);
        return logged;
    }

    private Task<List<LoggedEvent>> Events(string product) => database!.Query(
        $"select action, fingerprint, properties, occurred, created from events where product = '{product}' order by created",
        row => new LoggedEvent(row.GetString(0), row.GetString(1), row.IsDBNull(2) ? null : row.GetString(2),
            row.GetString(3), row.GetString(4)));

    public async ValueTask DisposeAsync()
    {
        await chromium.DisposeAsync();
        if (app is not null) await app.DisposeAsync();
        if (database is not null)
        {
            await AppProcess.AssertVerifies(database);
            await database.DisposeAsync();
        }
        if (site is not null) await site.DisposeAsync();
    }
}

public sealed record LoggedEvent(string Action, string Fingerprint, string? Properties, string Occurred,
    string Created)
{
    /// <summary>A property's value as text; null if it is missing.</summary>
    public string? this[string property] =>
        JsonDocument.Parse(Properties!).RootElement.TryGetProperty(property, out var value) ? value.ToString() : null;
}
