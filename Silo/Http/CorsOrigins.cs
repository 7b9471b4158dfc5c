using Microsoft.AspNetCore.Cors;

namespace Tally.Silo.Http;

/// <summary>
/// Which pages may read the answers of the endpoints that take events. Counts stay closed to pages: they are not for
/// every page that a visitor opens. CORS keeps nobody from sending events, which any program can do.
/// </summary>
internal static class CorsOrigins
{
    private const string Policy = "events";
    private const string Any = "*";
    private static readonly PathString[] Paths = ["/api/events", "/api/pixel.gif", "/v1"];
    private static readonly EndpointMetadataCollection Opened = new(new EnableCorsAttribute(Policy));
    private static readonly TimeSpan PreflightWorth = TimeSpan.FromHours(2); // the longest that Chromium takes

    public static void AddEventCors(this IServiceCollection services, IReadOnlyList<string> origins) =>
        services.AddCors(cors =>
        cors.AddPolicy(Policy, policy =>
        {
            policy.WithOrigins([.. origins])
                .WithMethods(HttpMethods.Get, HttpMethods.Post)
                .AllowAnyHeader() // no request is trusted for a header
                .WithExposedHeaders("Retry-After")
                .SetPreflightMaxAge(PreflightWorth);
            // A beacon with a Blob of application/json sends a preflight, always with credentials though there are no
            // cookies. Browsers do not accept credentials with any origin.
            if (!origins.Contains(Any)) policy.AllowCredentials();
        }));

    /// <summary>Lets the pages of these origins read the group's answers.</summary>
    public static void OpenToPages(this RouteGroupBuilder group) => group.RequireCors(Policy);

    /// <summary>For requests below these paths that match no endpoint: a page may read why they are refused.</summary>
    public static EndpointMetadataCollection MetadataOf(PathString path) =>
        Paths.Any(taken => path.StartsWithSegments(taken)) ? Opened : EndpointMetadataCollection.Empty;

    /// <summary>
    /// Lets any page load the answer: isolated pages too (Cross-Origin-Embedder-Policy: require-corp), and pages that
    /// load it with <c>crossorigin</c>, with an integrity hash, or as a module. Every answer has these headers, since a
    /// cache may serve it to all.
    /// </summary>
    public static void OpenToEveryPage(this HttpResponse response)
    {
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        response.Headers.AccessControlAllowOrigin = Any;
    }
}
