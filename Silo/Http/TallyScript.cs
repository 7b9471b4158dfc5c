using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Tally.Silo.Http;

/// <summary>GET /tally.js: the script tag, minified without a compiler and kept in memory.</summary>
internal static partial class TallyScript
{
    // Covers a visit; a new version is everywhere within the hour.
    private const string CacheControl = "public, max-age=3600";

    private static readonly EmbeddedFile Script =
        new(Encoding.UTF8.GetBytes(Minify(Encoding.UTF8.GetString(EmbeddedFile.Read("tally.js")))),
            "text/javascript; charset=utf-8");

    public static void MapScript(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/tally.js", FileContentHttpResult (HttpContext context) =>
        {
            context.Response.OpenToEveryPage();
            return Script.Answer(context, CacheControl);
        }).ExcludeFromDescription();

    // Removes comments, line ends, and needless spaces and semicolons. The source is written so that this is safe.
    private static string Minify(string source) => string.Concat(
        source.Replace("const ", "let ")
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("//", StringComparison.Ordinal))
            .Select(line => NeedlessSpace().Replace(line, ""))).Replace(";}", "}");

    [GeneratedRegex(@"(?<=[=<>+?:*{},;()|&\]-]) +| +(?=[=<>+?:*{},;()|&![-])")]
    private static partial Regex NeedlessSpace();
}
