using System.Security.Cryptography;
using Tally.Tests.Harness;

namespace Tally.Tests.Browser;

/// <summary>A site with the script tag. Its page /PRODUCT counts for that product.</summary>
public sealed class ScriptTagStage(PostgresServer server) : Stage(server)
{
    protected override string WriteKey => "of-the-site/0123456789+";

    private string EscapedKey => Uri.EscapeDataString(WriteKey);

    /// <summary>The URL for events that a page posts itself.</summary>
    public string EventsUrl => $"{Address}/api/events?writeKey={EscapedKey}";

    public string PixelUrl(string product) =>
        $"{Address}/api/pixel.gif?writeKey={EscapedKey}&action=open&product={product}&fingerprint=f";

    /// <summary>The script's hash, for an integrity attribute.</summary>
    public async Task<string> ScriptHash() => "sha256-" + Convert.ToBase64String(
        SHA256.HashData(await App!.Http.GetByteArrayAsync("/tally.js")));

    /// <summary>When a product's events happened, as the page said, and when they were recorded.</summary>
    public Task<List<(string Action, string Occurred, string Created)>> Times(string product) => Database!.Query(
        $"select action, occurred, created from events where product = '{product}'",
        row => (row.GetString(0), row.GetString(1), row.GetString(2)));

    protected override Task<Website> StartSite() => Website.WithTags(Address, WriteKey);
}
