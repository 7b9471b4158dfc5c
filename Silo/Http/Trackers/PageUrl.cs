using System.Text;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// A page's address, split and otherwise as it was sent. Trackers send whatever a browser or a program calls one, also
/// a path alone, so none is refused.
/// </summary>
/// <param name="Host">With its port; null for a path.</param>
/// <param name="Path">Percent-encoded as it was sent; at least a slash.</param>
/// <param name="Query">Without the question mark.</param>
/// <param name="Hash">With the number sign; empty if there is none.</param>
internal sealed record PageUrl(string? Host, string Path, string Query, string Hash)
{
    private const string CampaignPrefix = "utm_";

    public static PageUrl? Parse(string? url)
    {
        if (string.IsNullOrEmpty(url)) return null;
        var (rest, hash) = Cut(url, '#');
        (rest, var query) = Cut(rest, '?');
        var host = HostIn(rest, out var path);
        return new(host, path.Length == 0 ? "/" : path, query.TrimStart('?'), hash);
    }

    /// <summary>The same with its hash in the path, for a site that keeps its pages there.</summary>
    public PageUrl WithHash() => this with { Path = Path + Hash };

    /// <summary>The host of an address; a name that is no address as it is; null for a path of the same site.</summary>
    public static string? SiteOf(string? referrer) =>
        string.IsNullOrEmpty(referrer) || referrer[0] == '/' && !referrer.StartsWith("//", StringComparison.Ordinal)
            ? null : Parse(referrer)!.Host ?? referrer;

    /// <summary>The query's <c>utm_…</c> parameters, up to where it cannot be read.</summary>
    public List<(string Name, string Value)> Campaign()
    {
        var found = new List<(string, string)>();
        if (!Query.Contains(CampaignPrefix, StringComparison.Ordinal)) return found;
        var pairs = new FormReader(Encoding.UTF8.GetBytes(Query));
        while (pairs.TryRead())
            if (pairs.Name.StartsWith(CampaignPrefix, StringComparison.Ordinal)) found.Add((pairs.Name, pairs.Value));
        return found;
    }

    // A user and password before the host are nobody's business.
    private static string? HostIn(string url, out string path)
    {
        path = url;
        var begin = url.StartsWith("//", StringComparison.Ordinal) ? 2
            : url.IndexOf("://", StringComparison.Ordinal) is var scheme and > 0 && !url.AsSpan(0, scheme).Contains('/')
                ? scheme + 3 : 0;
        if (begin == 0) return null;
        var slash = url.IndexOf('/', begin);
        var end = slash < 0 ? url.Length : slash;
        path = url[end..];
        var authority = url[begin..end];
        var host = authority[(authority.LastIndexOf('@') + 1)..].ToLowerInvariant();
        return host.Length == 0 ? null : host;
    }

    private static (string Before, string From) Cut(string text, char at) =>
        text.IndexOf(at) is var found and >= 0 ? (text[..found], text[found..]) : (text, "");
}
