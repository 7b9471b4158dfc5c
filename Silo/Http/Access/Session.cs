using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Tally.Contracts;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Access;

/// <summary>
/// A person who has shown a read key keeps a cookie that stands for it, which every silo knows. It may what a read key
/// may; it ends by itself, and with its key.
/// </summary>
internal static class Session
{
    public const string SchemeName = "Session";

    private const string KeyHash = "key"; // a claim: the key itself is not in the cookie

    public static void AddSession(this AuthenticationBuilder authentication)
    {
        authentication.AddCookie(SchemeName, cookies =>
        {
            cookies.Cookie.Name = "tally-session";
            cookies.Cookie.HttpOnly = true;
            cookies.Cookie.SameSite = SameSiteMode.Strict;
            cookies.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookies.SlidingExpiration = true; // by a use in its second half
        });
        authentication.Services.AddOptions<CookieAuthenticationOptions>(SchemeName).Configure<Limits>(
            (cookies, limits) => cookies.ExpireTimeSpan = TimeSpan.FromSeconds(limits.SessionSeconds));
        authentication.Services.AddDataProtection().SetApplicationName("tally");
        authentication.Services.AddOptions<KeyManagementOptions>().Configure<SqlStorage>(
            (management, storage) => management.XmlRepository = new SessionKeys(storage));
    }

    /// <summary>Gives the cookie for a key that may read; false for any other.</summary>
    public static async Task<bool> SignIn(this HttpContext context, AccessKeys keys, string shown)
    {
        if (keys.Find(shown) is not { Reads: true }) return false;
        var holder = new ClaimsIdentity([new(KeyHash, Convert.ToHexString(AccessKey.HashOf(shown)))], SchemeName);
        await context.SignInAsync(SchemeName, new ClaimsPrincipal(holder));
        return true;
    }

    public static Task SignOut(this HttpContext context) => context.SignOutAsync(SchemeName);

    /// <summary>What the request's session may do; null without one, or if its key is not one any more.</summary>
    public static async Task<AccessKey?> KeyOfSession(this HttpContext context, AccessKeys keys)
    {
        var session = await context.AuthenticateAsync(SchemeName);
        return session.Principal?.FindFirstValue(KeyHash) is { } hash
            && keys.FindByHash(Convert.FromHexString(hash)) is { Reads: true } key
            ? key with { Writes = false, Erases = false, Rules = false } : null;
    }
}
