using System.Text;
using Microsoft.AspNetCore.Http.Features;

namespace Tally.Silo.Http;

/// <summary>
/// A client's text in a path, decoded from the request's own bytes. The server's decoded path keeps %2F but decodes
/// %25, so "a/b" and "a%2Fb" would look the same; and it resolves "..", which is a valid fingerprint.
/// </summary>
internal static class PathText
{
    /// <summary>What the text follows.</summary>
    public const string Fingerprints = "/api/fingerprints/", Receipts = "/api/receipts/";

    private const string Placeholder = "-";

    /// <summary>Middleware before routing: replaces the text by a placeholder.</summary>
    public static Task HideFromRouting(HttpContext context, RequestDelegate next)
    {
        var target = RawTargetOf(context);
        foreach (var prefix in (ReadOnlySpan<string>)[Fingerprints, Receipts])
            if (Split(target, prefix) is var (_, following))
                context.Request.Path = prefix + Placeholder + following;
            else if (context.Request.Path == prefix) context.Request.Path = prefix + "/"; // not the list of all
        return next(context);
    }

    /// <summary>The text after a prefix; null where there is none, or it is no percent-encoded UTF-8.</summary>
    public static string? Decode(string rawTarget, string prefix) =>
        Split(rawTarget, prefix) is var (raw, _)
            && FormReader.TryDecode(Encoding.UTF8.GetBytes(raw), out var text, plusIsSpace: false) ? text : null;

    public static string RawTargetOf(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    // The encoded text and what follows it; null if the path has none.
    private static (string Raw, string Following)? Split(string target, string prefix)
    {
        // A request to a proxy names the host too. OPTIONS may ask for *, and CONNECT names only a host.
        if (!target.StartsWith('/') && target.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
            target = target[Math.Max(0, target.IndexOf('/', scheme + 3))..];
        if (!target.StartsWith(prefix, StringComparison.OrdinalIgnoreCase)) return null;
        var path = target.AsSpan(prefix.Length);
        if (path.IndexOf('?') is var query and >= 0) path = path[..query];
        var end = path.IndexOf('/') is var slash and >= 0 ? slash : path.Length;
        return end == 0 ? null : (path[..end].ToString(), path[end..].ToString());
    }
}
