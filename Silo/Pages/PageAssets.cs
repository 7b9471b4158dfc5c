using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Silo.Http;

namespace Tally.Silo.Pages;

/// <summary>
/// The pages' style, scripts and icon. Their addresses have one hash of them all, so that scripts find each other and a
/// browser may keep them for ever. With another hash, of another version's page during an update, they are answered
/// too, and not kept.
/// </summary>
internal static class PageAssets
{
    private static readonly Dictionary<string, EmbeddedFile> All = new()
    {
        ["page.css"] = Load("page.css", "text/css; charset=utf-8"),
        ["page.js"] = Load("page.js", "text/javascript; charset=utf-8"),
        ["overview.js"] = Load("overview.js", "text/javascript; charset=utf-8"),
        ["proof.js"] = Load("proof.js", "text/javascript; charset=utf-8"),
        ["fingerprint.js"] = Load("fingerprint.js", "text/javascript; charset=utf-8"),
        ["live.js"] = Load("live.js", "text/javascript; charset=utf-8"),
        ["stream.js"] = Load("stream.js", "text/javascript; charset=utf-8"),
        ["icon.svg"] = Load("icon.svg", "image/svg+xml"),
    };

    private static readonly string Folder =
        $"/assets/{EmbeddedFile.HashOf([.. All.Values.SelectMany(file => file.Body)])}/";

    /// <summary>The address of an asset.</summary>
    public static string Path(string name) => Folder + name;

    public static void MapPageAssets(this IEndpointRouteBuilder routes)
    {
        foreach (var (name, file) in All)
            routes.MapGet($"/assets/{{hash}}/{name}", FileContentHttpResult (HttpContext context) =>
                file.Answer(context, context.Request.Path == Path(name)
                    ? "public, max-age=31536000, immutable" : "no-cache")).ExcludeFromDescription();
    }

    private static EmbeddedFile Load(string name, string type) => new(EmbeddedFile.Read(name), type);
}
