using Tally.Silo.CommandLine;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http;

/// <summary>
/// Which pages may read what the endpoints that take events answer. Those alone: what is counted is not for every page
/// that a visitor opens. It keeps no one from sending, which any program can.
/// </summary>
internal static class CorsOrigins
{
    private const string Policy = "events";
    private const string Any = "*";
    private static readonly TimeSpan PreflightWorth = TimeSpan.FromHours(2); // Chromium keeps none longer

    /// <summary>Reads a list of origins apart by commas, or <c>*</c>, or <c>none</c>.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static string[] Parse(string text) => text switch
    {
        AppCommand.None => [],
        Any => [Any],
        _ => [.. text.Split(',').Select(AccessKey.ParseOrigin)],
    };

    public static void AddEventCors(this IServiceCollection services, string[] origins) => services.AddCors(cors =>
        cors.AddPolicy(Policy, policy => policy
            .WithOrigins(origins)
            .WithMethods(HttpMethods.Get, HttpMethods.Post)
            .AllowAnyHeader() // no request is trusted for a header, and no cookies are allowed
            .WithExposedHeaders("Retry-After")
            .SetPreflightMaxAge(PreflightWorth)));

    /// <summary>Opens a group of endpoints to the pages of these origins.</summary>
    public static void OpenToPages(this RouteGroupBuilder group) => group.RequireCors(Policy);
}
