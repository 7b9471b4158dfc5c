using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Tally.Silo.Pages;

/// <summary>
/// The pages' style, script and icon. Their addresses have a hash of what they are, so a browser may keep them for
/// ever. With another hash, of another version's page during an update, they are answered too, and not kept.
/// </summary>
internal static class PageAssets
{
    private static readonly Dictionary<string, (string Path, byte[] Body, string Type)> All = new()
    {
        ["page.css"] = Load("page.css", "text/css; charset=utf-8"),
        ["page.js"] = Load("page.js", "text/javascript; charset=utf-8"),
        ["icon.svg"] = Load("icon.svg", "image/svg+xml"),
    };

    /// <summary>The address of an asset.</summary>
    public static string Path(string name) => All[name].Path;

    public static void MapPageAssets(this IEndpointRouteBuilder routes)
    {
        foreach (var (name, (path, body, type)) in All)
            routes.MapGet($"/assets/{{hash}}/{name}", FileContentHttpResult (HttpContext context) =>
            {
                context.Response.Headers.CacheControl = context.Request.Path == path
                    ? "public, max-age=31536000, immutable" : "no-cache";
                return TypedResults.Bytes(body, type);
            }).ExcludeFromDescription();
    }

    private static (string, byte[], string) Load(string name, string type)
    {
        using var source = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var body = new byte[source.Length];
        source.ReadExactly(body);
        return ($"/assets/{Convert.ToHexStringLower(SHA256.HashData(body))[..12]}/{name}", body, type);
    }
}
