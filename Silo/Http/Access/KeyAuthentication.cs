using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;
using Tally.Silo.Settings;

namespace Tally.Silo.Http.Access;

/// <summary>
/// Finds a request's key: <c>Authorization: Bearer KEY</c>, or Basic with the key as the user's name, as Segment's SDKs
/// send it. To write, also <c>?writeKey=KEY</c>, since beacons and pixels cannot set headers. To read, also a session's
/// cookie.
/// </summary>
internal sealed class KeyAuthentication(
    IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory logger, UrlEncoder encoder, AccessKeys keys)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, logger, encoder)
{
    public const string SchemeName = "Key";

    /// <summary>The query parameter that may show a key.</summary>
    public const string QueryName = "writeKey";

    // Without claims: what a key may do is in its AccessKey.
    private static readonly ClaimsPrincipal Holder = new(new ClaimsIdentity(SchemeName));

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        var (shown, inQuery) = FindKey();
        if (shown is null)
        {
            if (!keys.GuardReading || Context.TakesEvents() || await Context.KeyOfSession(keys) is not { } ofSession)
                return AuthenticateResult.NoResult();
            Response.Headers.CacheControl = "no-store"; // caches know that of an Authorization, not of a cookie
            return Accept(ofSession);
        }
        return keys.Find(shown) is { } key && (!inQuery || key.Writes) ? Accept(key)
            : AuthenticateResult.Fail("The key is unknown.");
    }

    private AuthenticateResult Accept(AccessKey key)
    {
        Context.Features.Set(key);
        return AuthenticateResult.Success(new(Holder, SchemeName));
    }

    protected override Task HandleChallengeAsync(AuthenticationProperties properties) => Refuse();

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) => Refuse();

    private Task Refuse() => Context.WhyNot()!.ExecuteAsync(Context);

    private (string? Key, bool InQuery) FindKey()
    {
        var header = Request.Headers.Authorization;
        if (header.Count == 0) return (Request.Query[QueryName] is [var key] ? key : null, true);
        if (!AuthenticationHeaderValue.TryParse(header, out var authorization)
            || authorization.Parameter is not { } parameter) return ("", false);
        return (authorization.Scheme.ToUpperInvariant() switch
        {
            "BEARER" => parameter,
            "BASIC" => BasicCredentials.UserOf(parameter) ?? "",
            _ => "",
        }, false);
    }
}
