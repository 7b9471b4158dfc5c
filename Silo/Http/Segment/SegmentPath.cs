using System.Text.RegularExpressions;

namespace Tally.Silo.Http.Segment;

/// <summary>Segment's SDKs put their path behind a host that they are told: one that ends with a slash gives <c>//v1/batch</c>.</summary>
internal static partial class SegmentPath
{
    [GeneratedRegex("/{2,}")]
    private static partial Regex Slashes();

    /// <summary>Before routing: takes several slashes for one, of these paths alone. Elsewhere they may be part of a name.</summary>
    public static Task Route(HttpContext context, RequestDelegate next)
    {
        if (context.Request.Path.Value is { } path && path.Contains("//", StringComparison.Ordinal)
            && Slashes().Replace(path, "/") is var single && single.StartsWith("/v1/", StringComparison.OrdinalIgnoreCase)) context.Request.Path = single;
        return next(context);
    }
}
