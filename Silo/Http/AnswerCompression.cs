namespace Tally.Silo.Http;

/// <summary>
/// Answers that are compressed for clients that accept it: exports and pages. None has a secret beside text that a
/// client chooses, whose length could give the secret away (BREACH): pages have no token, and the session is a cookie.
/// </summary>
internal static class AnswerCompression
{
    public static void AddAnswerCompression(this IServiceCollection services) =>
        services.AddResponseCompression(compression =>
        {
            compression.EnableForHttps = true;
            compression.MimeTypes = // Parquet is compressed already
                ["application/x-ndjson", "text/csv", "text/html", "text/css", "text/javascript", "image/svg+xml"];
        });

    public static void UseAnswerCompression(this WebApplication app) => app.UseWhen(
        context => context.GetEndpoint()?.Metadata.GetMetadata<Compressed>() is not null,
        compressed => compressed.UseResponseCompression());

    public static TBuilder CompressAnswers<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder => endpoints.WithMetadata(new Compressed());

    private sealed class Compressed;
}
