using System.Text.RegularExpressions;

namespace Tally.Silo.Http.Segment;

/// <summary>Segment's SDKs append their path to a host: one that ends with a slash gives <c>//v1/batch</c>.</summary>
internal static partial class SegmentPath
{
    [GeneratedRegex("/{2,}")]
    private static partial Regex Slashes();

    /// <summary>Middleware before routing: merges slashes. In other paths they may be part of a fingerprint.</summary>
    public static Task MergeSlashes(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is { } path && path.Contains("//", StringComparison.Ordinal)
            && Slashes().Replace(path, "/") is var single
            && single.StartsWith("/v1/", StringComparison.OrdinalIgnoreCase)) context.Request.Path = single;
        return next(context);
    }
}
