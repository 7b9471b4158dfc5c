using PuppeteerSharp;

namespace Tally.Tests.Harness;

/// <summary>The real browser, headless. A test class shares one; each visitor has a separate profile in it.</summary>
public sealed class Chromium : IAsyncDisposable
{
    // The browser must not connect to anything else. As root it runs only without its sandbox.
    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private readonly string profile = Directory.CreateTempSubdirectory("tally-chromium-").FullName;
    private readonly Lazy<Task<IBrowser>> browser;

    public Chromium() => browser = new(Launch);

    /// <summary>A visitor who has been nowhere before. Skips the test if there is no Chromium.</summary>
    public async Task<IBrowserContext> NewVisitor() => await (await browser.Value).CreateBrowserContextAsync();

    public async ValueTask DisposeAsync()
    {
        if (browser is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            await using var running = await browser.Value;
            await running.CloseAsync();
        }
        Directory.Delete(profile, recursive: true);
    }

    private Task<IBrowser> Launch()
    {
        var binary = (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':')
            .SelectMany(folder => (string[])[Path.Combine(folder, "chromium"), Path.Combine(folder, "google-chrome")])
            .FirstOrDefault(File.Exists);
        Assert.SkipWhen(binary is null,
            "What a browser shows needs Chromium: install it (Debian: apt-get install chromium).");
        return Puppeteer.LaunchAsync(
            new LaunchOptions { ExecutablePath = binary, Args = Flags, UserDataDir = profile });
    }
}
