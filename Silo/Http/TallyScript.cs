using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>GET /tally.js: the script tag, minified without a compiler and kept in memory.</summary>
internal static partial class TallyScript
{
    private const string ContentType = "text/javascript; charset=utf-8";

    // Covers a visit; a new version is everywhere within the hour.
    private const string CacheControl = "public, max-age=3600";

    private static readonly Form Plain = new(Encoding.UTF8.GetBytes(ReadSource()));
    private static readonly Form Compressed = new(Compress(Plain.Body));

    public static void MapScript(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/tally.js", Get).ExcludeFromDescription();

    private static FileContentHttpResult Get(HttpRequest request, HttpResponse response)
    {
        var takesGzip =
            request.GetTypedHeaders().AcceptEncoding.Any(coding => coding.Value == "gzip" && coding.Quality is not 0);
        if (takesGzip) response.Headers.ContentEncoding = "gzip";
        response.OpenToEveryPage();
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        response.Headers.CacheControl = CacheControl;
        var form = takesGzip ? Compressed : Plain;
        return TypedResults.Bytes(form.Body, ContentType, entityTag: form.Tag);
    }

    // Removes comments, line ends, and needless spaces and semicolons. The source is written so that this is safe.
    private static string ReadSource()
    {
        using var source = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream("tally.js")!);
        return string.Concat(
            source.ReadToEnd().Replace("const ", "let ")
            .Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Where(line => !line.StartsWith("//", StringComparison.Ordinal))
            .Select(line => NeedlessSpace().Replace(line, ""))).Replace(";}", "}");
    }

    [GeneratedRegex(@"(?<=[=<>+?:*{},;()|&\]-]) +| +(?=[=<>+?:*{},;()|&![-])")]
    private static partial Regex NeedlessSpace();

    private static byte[] Compress(byte[] body)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.SmallestSize)) gzip.Write(body);
        return result.ToArray();
    }

    private sealed record Form(byte[] Body)
    {
        public EntityTagHeaderValue Tag { get; } = new($"\"{Convert.ToHexStringLower(SHA256.HashData(Body))[..16]}\"");
    }
}
