using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;

namespace Tally.Silo.Http;

/// <summary>
/// Fingerprints without cookies, for events that have none. A visitor of one site keeps one fingerprint all day. It is
/// made with a salt that is gone the day after, so nobody can link two days or test addresses against it.
/// </summary>
internal sealed class VisitorFingerprints(VisitorSettings settings, DailySalts salts)
{
    /// <summary>Sets a missing fingerprint to the sender's, unless clients must send their own.</summary>
    /// <param name="fields">Their product stands for the site if the request names no page.</param>
    /// <param name="request">Its address, user agent and page are hashed, and not kept.</param>
    /// <returns>Why that cannot be done now, or null.</returns>
    public async ValueTask<Refusal?> AddMissing(EventFields fields, HttpRequest request)
    {
        if (fields.Fingerprint is not null || settings.Fingerprints == FingerprintSource.Client) return null;
        try
        {
            fields.Fingerprint = Hash(request, fields.Product, await salts.Current());
            return null;
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.Unavailable(fields.Id);
        }
    }

    private static string Hash(HttpRequest request, string? product, byte[] salt)
    {
        var address = request.HttpContext.Connection.RemoteIpAddress;
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        // Neither an address nor a header has a line end, so different visitors have different texts.
        var visitor = $"{address}\n{request.Headers.UserAgent}\n{SiteOf(request) ?? product}";
        return Base64Url.EncodeToString(HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes(visitor)));
    }

    // A script's request has the page's origin, an image's has its address. The host is the same.
    private static string? SiteOf(HttpRequest request) =>
        HostOf(request.Headers.Origin) ?? HostOf(request.Headers.Referer);

    private static string? HostOf(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.IdnHost : null;
}
