using Microsoft.AspNetCore.Authentication;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Settings;

namespace Tally.Silo.Http.Access;

/// <summary>
/// Who may write, read and erase, as policies on groups of endpoints. Without keys nothing of it is there, so nobody pays.
/// </summary>
internal static class AuthorizationPolicies
{
    private const string Write = "write";
    private const string Read = "read";
    private const string Erase = "erase";

    public static void AddAccess(this IServiceCollection services, AccessKeys keys)
    {
        services.AddSingleton(keys);
        if (!keys.GuardErasing) return; // there are none
        services.AddAuthentication(KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null);
        var policies = services.AddAuthorizationBuilder();
        foreach (var name in (string[])[Write, Read, Erase])
            policies.AddPolicy(name, policy => policy.RequireAuthenticatedUser()
                .RequireAssertion(context => WhyNot((HttpContext)context.Resource!) is null));
    }

    public static void UseAccess(this WebApplication app)
    {
        var keys = app.Services.GetRequiredService<AccessKeys>();
        var guarded = keys.GuardErasing;
        if (guarded) app.UseAuthentication();
        app.UseRequestLimits(); // knows the key by now, and counts those without one too
        if (guarded) app.UseAuthorization();
    }

    /// <summary>For the endpoints that take events: they need a write key where there are any.</summary>
    public static RouteGroupBuilder MapWriting(this IEndpointRouteBuilder app) =>
        Guarded(app, keys => keys.GuardWriting, Write).WithMetadata(EventsTaken.Instance);

    /// <summary>For the endpoints that answer questions: they need a read key where there are any.</summary>
    public static RouteGroupBuilder MapReading(this IEndpointRouteBuilder app) => Guarded(app, keys => keys.GuardReading, Read);

    /// <summary>For the endpoints that remove what is recorded: where there are any keys, they need one for that.</summary>
    public static RouteGroupBuilder MapErasing(this IEndpointRouteBuilder app) =>
        Guarded(app, keys => keys.GuardErasing, Erase).WithMetadata(Removes.Instance);

    /// <summary>
    /// For a protocol whose clients may put the write key into the body: called when that was read. Such an endpoint allows
    /// anonymous requests, for this to judge.
    /// </summary>
    /// <param name="context">The request. Its key, where it has one outside of the body, is the one that counts.</param>
    /// <param name="keyInBody">Null where the body has none.</param>
    /// <returns>Why it may not write, or null.</returns>
    public static Refusal? RefusesToWrite(this HttpContext context, string? keyInBody)
    {
        var keys = context.RequestServices.GetRequiredService<AccessKeys>();
        if (!keys.GuardWriting) return null;
        if (keyInBody is not null && context.Key() is null && keys.Find(keyInBody) is { } found) context.Features.Set(found);
        return context.Key() is null && (keyInBody is not null || ShowsKey(context)) ? Refusal.UnknownKey() : WhyNot(context, Write);
    }

    /// <summary>The request's key, known when its policy has passed; null where everyone may.</summary>
    public static AccessKey? Key(this HttpContext context) => context.Features.Get<AccessKey>();

    /// <summary>Why the request's endpoint is not for whoever sent it, or null.</summary>
    public static Refusal? WhyNot(this HttpContext context) => WhyNot(context,
        context.TakesEvents() ? Write : context.GetEndpoint()?.Metadata.GetMetadata<Removes>() is not null ? Erase : Read);

    /// <summary>Whether the request's endpoint is one of <see cref="MapWriting"/>.</summary>
    public static bool TakesEvents(this HttpContext context) => context.GetEndpoint()?.Metadata.GetMetadata<EventsTaken>() is not null;

    private static Refusal? WhyNot(HttpContext context, string policy)
    {
        if (context.Key() is not { } key) return ShowsKey(context) ? Refusal.UnknownKey() : Refusal.MissingKey();
        if (policy == Read) return key.Reads ? null : Refusal.KeyNotForReading();
        if (policy == Erase) return key.Erases ? null : Refusal.KeyNotForErasing();
        if (!key.Writes) return Refusal.KeyNotForWriting();
        return key.Origins.Count == 0 || OriginOf(context.Request) is { } origin && key.Origins.Contains(origin)
            ? null : Refusal.OriginNotAllowed();
    }

    private static bool ShowsKey(HttpContext context) =>
        context.Request.Headers.Authorization.Count > 0 || context.Request.Query.ContainsKey("writeKey");

    // A browser names the page's origin where a request can change something, and the page where it loads an image.
    private static string? OriginOf(HttpRequest request) =>
        request.Headers.Origin is [var origin] ? origin
        : request.Headers.Referer is [var page] && Uri.TryCreate(page, UriKind.Absolute, out var url) ? url.GetLeftPart(UriPartial.Authority)
        : null;

    private sealed class EventsTaken
    {
        public static readonly EventsTaken Instance = new();
    }

    private sealed class Removes
    {
        public static readonly Removes Instance = new();
    }

    private static RouteGroupBuilder Guarded(IEndpointRouteBuilder app, Func<AccessKeys, bool> guarded, string policy)
    {
        var group = app.MapGroup("");
        if (guarded(app.ServiceProvider.GetRequiredService<AccessKeys>())) group.RequireAuthorization(policy);
        return group;
    }
}
