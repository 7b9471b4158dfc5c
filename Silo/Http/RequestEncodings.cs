using Microsoft.AspNetCore.RequestDecompression;
using Tally.Silo.Compression;

namespace Tally.Silo.Http;

/// <summary>
/// Content-Encoding of requests: gzip, br and deflate by the framework's middleware, which knows neither the old name
/// of gzip nor the word for no encoding. Readers bound what is decoded.
/// </summary>
internal static class RequestEncodings
{
    private const string Identity = "identity";

    public static void AddRequestEncodings(this IServiceCollection services) =>
        services.AddRequestDecompression(options =>
        options.DecompressionProviders["gzip"] = options.DecompressionProviders["x-gzip"] = new WholeGzip());

    public static void UseRequestEncodings(this WebApplication app)
    {
        app.Use((context, next) =>
        {
            var encoding = context.Request.Headers.ContentEncoding;
            if (encoding.Count == 1
                && (encoding[0] is "" || Identity.Equals(encoding[0], StringComparison.OrdinalIgnoreCase)))
                context.Request.Headers.ContentEncoding = default;
            else if (encoding.Count > 0) context.Request.ContentLength = null; // it says nothing of what is decoded
            return next(context);
        });
        app.UseRequestDecompression();
    }

    private sealed class WholeGzip : IDecompressionProvider
    {
        public Stream GetDecompressionStream(Stream stream) => new WholeGzipStream(stream);
    }
}
