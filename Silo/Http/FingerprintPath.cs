using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// The fingerprint in a path, decoded from the request's own bytes. The server's decoded path keeps %2F but decodes
/// %25, so "a/b" and "a%2Fb" would look the same; and it resolves "..", which is a valid fingerprint.
/// </summary>
internal sealed record FingerprintPath(string? Fingerprint, Refusal? Refusal)
{
    private const string Prefix = "/api/fingerprints/";
    private const string Placeholder = "-";

    /// <summary>Middleware before routing: replaces the fingerprint by a placeholder.</summary>
    public static Task HideFromRouting(HttpContext context, RequestDelegate next)
    {
        if (Split(RawTargetOf(context)) is var (_, following)) context.Request.Path = Prefix + Placeholder + following;
        else if (context.Request.Path == Prefix) context.Request.Path = Prefix + "/"; // not the list of all
        return next(context);
    }

    public static ValueTask<FingerprintPath?> BindAsync(HttpContext context, ParameterInfo _) =>
        new(Parse(context, context.RequestServices.GetRequiredService<Limits>()));

    public static FingerprintPath Parse(HttpContext context, Limits limits) => Parse(RawTargetOf(context), limits);

    public static FingerprintPath Parse(string rawTarget, Limits limits) =>
        Split(rawTarget) is var (raw, _)
            && FormReader.TryDecode(Encoding.UTF8.GetBytes(raw), out var fingerprint, plusIsSpace: false)
            ? new(fingerprint, EventFields.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax))
            : new(null, Refusal.InvalidPath());

    private static string RawTargetOf(HttpContext context) =>
        context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    // The encoded fingerprint and what follows it; null if the path has none.
    private static (string Raw, string Following)? Split(string target)
    {
        // A request to a proxy names the host too. OPTIONS may ask for *, and CONNECT names only a host.
        if (!target.StartsWith('/') && target.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
            target = target[Math.Max(0, target.IndexOf('/', scheme + 3))..];
        if (!target.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return null;
        var path = target.AsSpan(Prefix.Length);
        if (path.IndexOf('?') is var query and >= 0) path = path[..query];
        var end = path.IndexOf('/') is var slash and >= 0 ? slash : path.Length;
        return end == 0 ? null : (path[..end].ToString(), path[end..].ToString());
    }
}
