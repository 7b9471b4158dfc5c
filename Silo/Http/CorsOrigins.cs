using Microsoft.AspNetCore.Cors;

namespace Tally.Silo.Http;

/// <summary>
/// Which pages may read what the endpoints that take events answer. Those alone: what is counted is not for every page
/// that a visitor opens. It keeps no one from sending, which any program can.
/// </summary>
internal static class CorsOrigins
{
    private const string Policy = "events";
    private const string Any = "*";
    private static readonly PathString[] Ways = ["/api/events", "/api/pixel.gif", "/v1"];
    private static readonly EndpointMetadataCollection OfWays = new(new EnableCorsAttribute(Policy));
    private static readonly TimeSpan PreflightWorth = TimeSpan.FromHours(2); // Chromium keeps none longer

    public static void AddEventCors(this IServiceCollection services, IReadOnlyList<string> origins) => services.AddCors(cors =>
        cors.AddPolicy(Policy, policy =>
        {
            policy.WithOrigins([.. origins])
                .WithMethods(HttpMethods.Get, HttpMethods.Post)
                .AllowAnyHeader() // no request is trusted for a header
                .WithExposedHeaders("Retry-After")
                .SetPreflightMaxAge(PreflightWorth);
            // A beacon with a Blob of application/json asks first, and always as one with cookies, though here are none. With any
            // origin a browser does not take this.
            if (!origins.Contains(Any)) policy.AllowCredentials();
        }));

    /// <summary>Opens a group of endpoints to the pages of these origins.</summary>
    public static void OpenToPages(this RouteGroupBuilder group) => group.RequireCors(Policy);

    /// <summary>For what is refused where events are taken, though no endpoint takes it: a page reads why.</summary>
    public static EndpointMetadataCollection MetadataOf(PathString path) =>
        Ways.Any(way => path.StartsWithSegments(way)) ? OfWays : EndpointMetadataCollection.Empty;

    /// <summary>
    /// For what any page may load: also one that is isolated (Cross-Origin-Embedder-Policy: require-corp), and one that asks for
    /// it with <c>crossorigin</c>, for an integrity hash, or as a module. Headers of each answer, since a cache may keep it for all.
    /// </summary>
    public static void OpenToEveryPage(this HttpResponse response)
    {
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        response.Headers.AccessControlAllowOrigin = Any;
    }
}
