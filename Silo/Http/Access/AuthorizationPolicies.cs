using Microsoft.AspNetCore.Authentication;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Settings;

namespace Tally.Silo.Http.Access;

/// <summary>
/// Who may write, read, erase and change rules, as policies on groups of endpoints. Without keys there is no
/// authentication at all.
/// </summary>
internal static class AuthorizationPolicies
{
    private const string Write = "write";
    private const string Read = "read";
    private const string Erase = "erase";
    private const string Rule = "rule";

    public static void AddAccess(this IServiceCollection services, AccessKeys keys)
    {
        services.AddSingleton(keys);
        if (!keys.GuardErasing) return; // there are no keys
        var authentication = services.AddAuthentication(KeyAuthentication.SchemeName)
            .AddScheme<AuthenticationSchemeOptions, KeyAuthentication>(KeyAuthentication.SchemeName, null);
        if (keys.GuardReading) authentication.AddSession();
        var policies = services.AddAuthorizationBuilder();
        foreach (var name in (string[])[Write, Read, Erase, Rule])
            policies.AddPolicy(name, policy => policy.RequireAuthenticatedUser()
                .RequireAssertion(context => WhyNot((HttpContext)context.Resource!) is null));
    }

    public static void UseAccess(this WebApplication app)
    {
        var keys = app.Services.GetRequiredService<AccessKeys>();
        var guarded = keys.GuardErasing;
        if (guarded) app.UseAuthentication();
        app.UseRequestLimits(); // after authentication: it counts by key
        if (guarded) app.UseAuthorization();
    }

    /// <summary>A group for the endpoints that take events: with any write keys, one is required.</summary>
    public static RouteGroupBuilder MapWriting(this IEndpointRouteBuilder app) =>
        MapGroup(app, Write, keys => keys.GuardWriting);

    /// <summary>A group for the endpoints that answer questions: with any read keys, one is required.</summary>
    public static RouteGroupBuilder MapReading(this IEndpointRouteBuilder app) =>
        MapGroup(app, Read, keys => keys.GuardReading);

    /// <summary>A group for the endpoints that erase: with any keys, an erase key is required.</summary>
    public static RouteGroupBuilder MapErasing(this IEndpointRouteBuilder app) =>
        MapGroup(app, Erase, keys => keys.GuardErasing);

    /// <summary>A group for the endpoints that change rules: with any keys, a rule key is required.</summary>
    public static RouteGroupBuilder MapRuling(this IEndpointRouteBuilder app) =>
        MapGroup(app, Rule, keys => keys.GuardRules);

    /// <summary>
    /// Authorizes writing for a protocol whose clients may put the write key into the body. Its endpoints allow
    /// anonymous requests, and call this when the body is read.
    /// </summary>
    /// <param name="context">The request. A key outside of the body takes precedence.</param>
    /// <returns>Why it may not write, or null.</returns>
    public static Refusal? RefusesToWrite(this HttpContext context, string? keyInBody)
    {
        var keys = context.RequestServices.GetRequiredService<AccessKeys>();
        if (!keys.GuardWriting) return null;
        if (keyInBody is not null && context.Key() is null && keys.Find(keyInBody) is { } found)
            context.Features.Set(found);
        return context.Key() is null && (keyInBody is not null || ShowsKey(context)) ? Refusal.UnknownKey()
            : WhyNot(context, Write);
    }

    /// <summary>Authorizes erasing for a form with the key in a field. No other key counts, and no session.</summary>
    /// <returns>Why it may not erase, or null.</returns>
    public static Refusal? RefusesToErase(this HttpContext context, string keyInForm) =>
        Refuses(context, keys => keys.GuardErasing, keyInForm, key => key.Erases, Refusal.KeyNotForErasing);

    /// <summary>Authorizes changing rules for such a form.</summary>
    /// <returns>Why it may not, or null.</returns>
    public static Refusal? RefusesToRule(this HttpContext context, string keyInForm) =>
        Refuses(context, keys => keys.GuardRules, keyInForm, key => key.Rules, Refusal.KeyNotForRules);

    private static Refusal? Refuses(HttpContext context, Func<AccessKeys, bool> guard, string keyInForm,
        Func<AccessKey, bool> may, Func<Refusal> refusal)
    {
        var keys = context.RequestServices.GetRequiredService<AccessKeys>();
        if (!guard(keys)) return null;
        return keys.Find(keyInForm) is not { } key ? Refusal.UnknownKey() : may(key) ? null : refusal();
    }

    /// <summary>The request's key, known after authorization; null if none is needed.</summary>
    public static AccessKey? Key(this HttpContext context) => context.Features.Get<AccessKey>();

    /// <summary>Why the request may not use its endpoint, or null.</summary>
    public static Refusal? WhyNot(this HttpContext context) => WhyNot(context, PolicyOf(context));

    /// <summary>Whether the request's endpoint is one of <see cref="MapWriting"/>.</summary>
    public static bool TakesEvents(this HttpContext context) => PolicyOf(context) == Write;

    private static string? PolicyOf(HttpContext context) =>
        context.GetEndpoint()?.Metadata.GetMetadata<GroupPolicy>()?.Name;

    private static Refusal? WhyNot(HttpContext context, string? policy)
    {
        if (context.Key() is not { } key) return ShowsKey(context) ? Refusal.UnknownKey() : Refusal.MissingKey();
        if (policy == Erase) return key.Erases ? null : Refusal.KeyNotForErasing();
        if (policy == Rule) return key.Rules ? null : Refusal.KeyNotForRules();
        if (policy != Write) return key.Reads ? null : Refusal.KeyNotForReading();
        if (!key.Writes) return Refusal.KeyNotForWriting();
        return key.Origins.Count == 0 || OriginOf(context.Request) is { } origin && key.Origins.Contains(origin)
            ? null : Refusal.OriginNotAllowed();
    }

    private static bool ShowsKey(HttpContext context) =>
        context.Request.Headers.Authorization.Count > 0 || context.Request.Query.ContainsKey("writeKey");

    // Browsers send Origin with requests that may change something, and only Referer with images.
    private static string? OriginOf(HttpRequest request) =>
        request.Headers.Origin is [var origin] ? origin
        : request.Headers.Referer is [var page] && Uri.TryCreate(page, UriKind.Absolute, out var url)
            ? url.GetLeftPart(UriPartial.Authority)
        : null;

    private static RouteGroupBuilder MapGroup(IEndpointRouteBuilder app, string policy,
        Func<AccessKeys, bool> isGuarded)
    {
        var group = app.MapGroup("").WithMetadata(new GroupPolicy(policy));
        group.ProducesRefusals(400, 401, 403, 422, 429, 503);
        if (isGuarded(app.ServiceProvider.GetRequiredService<AccessKeys>())) group.RequireAuthorization(policy);
        return group;
    }

    private sealed record GroupPolicy(string Name);
}
