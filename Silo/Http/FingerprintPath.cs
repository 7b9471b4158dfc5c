using System.Reflection;
using System.Text;
using Microsoft.AspNetCore.Http.Features;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// The fingerprint of a path, read from the request's own bytes. The server's decoded path keeps %2F but decodes %25,
/// so that "a/b" and "a%2Fb" would look the same, and it resolves "..", which is a fingerprint like any other.
/// </summary>
internal sealed record FingerprintPath(string? Fingerprint, Refusal? Refusal)
{
    private const string Prefix = "/api/fingerprints/";
    private const string Placeholder = "-";

    /// <summary>Before routing: puts a placeholder where the fingerprint is, so that routing sees only what is ours.</summary>
    public static Task Route(HttpContext context, RequestDelegate next)
    {
        if (Find(TargetOf(context)) is var (_, following)) context.Request.Path = Prefix + Placeholder + following;
        else if (context.Request.Path == Prefix) context.Request.Path = Prefix + "/"; // no fingerprint: not the list of all
        return next(context);
    }

    public static ValueTask<FingerprintPath?> BindAsync(HttpContext context, ParameterInfo _) =>
        new(Read(context, context.RequestServices.GetRequiredService<Limits>()));

    public static FingerprintPath Read(HttpContext context, Limits limits) => Read(TargetOf(context), limits);

    public static FingerprintPath Read(string rawTarget, Limits limits) =>
        Find(rawTarget) is var (raw, _) && FormFields.TryDecode(Encoding.UTF8.GetBytes(raw), out var fingerprint, plusIsSpace: false)
            ? new(fingerprint, EventFields.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax))
            : new(null, Refusal.InvalidPath());

    private static string TargetOf(HttpContext context) => context.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget;

    // The undecoded fingerprint and what follows it, where the path begins as ours do and is not to be resolved.
    private static (string Raw, string Following)? Find(string target)
    {
        // A proxy's form names the host too. OPTIONS may ask for *, and CONNECT names a host alone.
        if (!target.StartsWith('/') && target.IndexOf("://", StringComparison.Ordinal) is var scheme and >= 0)
            target = target[Math.Max(0, target.IndexOf('/', scheme + 3))..];
        if (!target.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) return null;
        var path = target.AsSpan(Prefix.Length);
        if (path.IndexOf('?') is var query and >= 0) path = path[..query];
        var end = path.IndexOf('/') is var slash and >= 0 ? slash : path.Length;
        return end == 0 ? null : (path[..end].ToString(), path[end..].ToString());
    }
}
