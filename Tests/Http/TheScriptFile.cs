using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Http;

/// <summary>GET /tally.js, from browsers that have it and browsers that do not.</summary>
[Collection<SharedApp>]
public sealed class TheScriptFile(SharedApps apps)
{
    private const int CompressedBytesMax = 1228;

    [Fact]
    public async Task It_is_under_one_point_two_kilobytes_compressed_and_the_same_uncompressed()
    {
        using var compressed = await Get("gzip, deflate, br");
        var body = await compressed.Content.ReadAsByteArrayAsync();
        Assert.Equal("gzip", Assert.Single(compressed.Content.Headers.ContentEncoding));
        Assert.InRange(body.Length, 1, CompressedBytesMax);

        foreach (var accepted in (string?[])[null, "identity", "gzip;q=0", "br"])
        {
            using var plain = await Get(accepted);
            Assert.Empty(plain.Content.Headers.ContentEncoding);
            Assert.Equal(Encoding.UTF8.GetString(await plain.Content.ReadAsByteArrayAsync()), Unzip(body));
            Assert.NotEqual(compressed.Headers.ETag, plain.Headers.ETag); // different bytes, different tag
        }
        Assert.DoesNotContain("//", Unzip(body).Replace("://", ""));
    }

    [Fact]
    public async Task A_cache_keeps_it_for_a_while_and_asks_by_its_tag()
    {
        using var first = await Get("gzip");
        Assert.Equal("text/javascript; charset=utf-8", first.Content.Headers.ContentType?.ToString());
        Assert.True(first.Headers.CacheControl is { Public: true } cache && cache.MaxAge <= TimeSpan.FromHours(1));
        Assert.Equal(["Accept-Encoding"], first.Headers.Vary);
        Assert.Equal(["*"], first.Headers.GetValues("Access-Control-Allow-Origin"));

        using var again = await Get("gzip", first.Headers.ETag);
        Assert.Equal(HttpStatusCode.NotModified, again.StatusCode);
        Assert.Empty(await again.Content.ReadAsByteArrayAsync());
        using var other = await Get("gzip", new("\"other\""));
        Assert.Equal(HttpStatusCode.OK, other.StatusCode);
    }

    private async Task<HttpResponseMessage> Get(string? acceptEncoding, EntityTagHeaderValue? known = null)
    {
        var (app, _) = await apps.On(StorageKind.Sqlite);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/tally.js");
        if (acceptEncoding is not null) request.Headers.TryAddWithoutValidation("Accept-Encoding", acceptEncoding);
        if (known is not null) request.Headers.IfNoneMatch.Add(known);
        return await app.Http.SendAsync(request);
    }

    private static string Unzip(byte[] body)
    {
        using var reader = new StreamReader(new GZipStream(new MemoryStream(body), CompressionMode.Decompress));
        return reader.ReadToEnd();
    }
}
