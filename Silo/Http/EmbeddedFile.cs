using System.IO.Compression;
using System.Reflection;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http;

/// <summary>A text that is served from memory, compressed for those who take that.</summary>
internal sealed class EmbeddedFile(byte[] body, string type)
{
    private readonly Form plain = new(body);
    private readonly Form compressed = new(Compress(body));

    public byte[] Body => body;

    /// <summary>Reads one that is part of the program.</summary>
    public static byte[] Read(string name)
    {
        using var source = Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!;
        var content = new byte[source.Length];
        source.ReadExactly(content);
        return content;
    }

    public static string HashOf(byte[] content) => Convert.ToHexStringLower(SHA256.HashData(content))[..16];

    public FileContentHttpResult Answer(HttpContext context, string cacheControl)
    {
        var headers = context.Response.Headers;
        var takesGzip = context.Request.GetTypedHeaders().AcceptEncoding
            .Any(coding => coding.Value == "gzip" && coding.Quality is not 0);
        if (takesGzip) headers.ContentEncoding = "gzip";
        headers.Vary = HeaderNames.AcceptEncoding;
        headers.CacheControl = cacheControl;
        var form = takesGzip ? compressed : plain;
        return TypedResults.Bytes(form.Body, type, entityTag: form.Tag);
    }

    private static byte[] Compress(byte[] content)
    {
        using var result = new MemoryStream();
        using (var gzip = new GZipStream(result, CompressionLevel.SmallestSize)) gzip.Write(content);
        return result.ToArray();
    }

    private sealed record Form(byte[] Body)
    {
        public EntityTagHeaderValue Tag { get; } = new($"\"{HashOf(Body)}\"");
    }
}
