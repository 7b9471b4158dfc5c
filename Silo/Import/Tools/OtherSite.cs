using Tally.Silo.Http.Trackers;

namespace Tally.Silo.Import.Tools;

/// <summary>Whether a visitor came from another site. A host with www. is the one without.</summary>
internal static class OtherSite
{
    private const string Web = "www.";

    /// <param name="own">The site's own hosts and names; null for none.</param>
    /// <returns>Null if it is a page of the site itself.</returns>
    public static string? Referrer(string? referrer, params ReadOnlySpan<string?> own)
    {
        if (PageUrl.SiteOf(referrer) is not { } site) return null;
        foreach (var name in own)
            if (name is not null && Plain(site).Equals(Plain(name), StringComparison.OrdinalIgnoreCase)) return null;
        return referrer;
    }

    private static ReadOnlySpan<char> Plain(ReadOnlySpan<char> host)
    {
        if (host.LastIndexOf(':') is var colon and > 0 && !host[(colon + 1)..].ContainsAnyExceptInRange('0', '9'))
            host = host[..colon];
        return host.StartsWith(Web, StringComparison.OrdinalIgnoreCase) ? host[Web.Length..] : host;
    }
}
