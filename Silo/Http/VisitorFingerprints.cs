using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;

namespace Tally.Silo.Http;

/// <summary>
/// Fingerprints without cookies, for events that come without one: the same for one visitor of one site all day, and
/// made of a salt that nobody has the day after, so that no two days can be joined and no address be tried against them.
/// </summary>
internal sealed class VisitorFingerprints(VisitorSettings settings, DailySalts salts)
{
    /// <summary>Gives fields without a fingerprint the one of their sender, unless clients must give their own.</summary>
    /// <param name="fields">Their product counts as the site where the request names no page.</param>
    /// <param name="request">Its address, user agent and page are hashed, and kept nowhere.</param>
    /// <returns>Why that cannot be done now, or null.</returns>
    public async ValueTask<Refusal?> Complete(EventFields fields, HttpRequest request)
    {
        if (fields.Fingerprint is not null || settings.Fingerprints == FingerprintSource.Client) return null;
        try
        {
            fields.Fingerprint = Of(request, fields.Product, await salts.Current());
            return null;
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.Unavailable(fields.Id);
        }
    }

    private static string Of(HttpRequest request, string? product, byte[] salt)
    {
        var address = request.HttpContext.Connection.RemoteIpAddress;
        if (address is { IsIPv4MappedToIPv6: true }) address = address.MapToIPv4();
        // Neither an address nor a header has a line end, so no two visitors write the same.
        var visitor = $"{address}\n{request.Headers.UserAgent}\n{SiteOf(request) ?? product}";
        return Base64Url.EncodeToString(HMACSHA256.HashData(salt, Encoding.UTF8.GetBytes(visitor)));
    }

    // A page's script sends its origin, an image where it stands. Their host is the same.
    private static string? SiteOf(HttpRequest request) => HostOf(request.Headers.Origin) ?? HostOf(request.Headers.Referer);

    private static string? HostOf(string? url) =>
        Uri.TryCreate(url, UriKind.Absolute, out var uri) && uri.Host.Length > 0 ? uri.IdnHost : null;
}
