using PuppeteerSharp;

namespace Tally.Tests.Harness;

/// <summary>
/// The real browser, without a window. One for a test class; each visitor has a profile of its own in it.
/// </summary>
public sealed class Chromium : IAsyncDisposable
{
    // Its own connections to the rest of the world are none of the tests'; as root it runs without its sandbox alone.
    private static readonly string[] Flags =
    [
        "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
        "--disable-component-update", "--disable-sync",
    ];

    private readonly string profile = Directory.CreateTempSubdirectory("tally-chromium-").FullName;
    private readonly Lazy<Task<IBrowser>> browser;

    public Chromium() => browser = new(Launch);

    /// <summary>Somebody who was nowhere before. Skips the test where there is no Chromium.</summary>
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
            "The script tag needs Chromium: install it (Debian: apt-get install chromium).");
        return Puppeteer.LaunchAsync(
            new LaunchOptions { ExecutablePath = binary, Args = Flags, UserDataDir = profile });
    }
}
