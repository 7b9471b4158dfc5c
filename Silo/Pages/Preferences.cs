using Tally.Silo.Pages.Words;

namespace Tally.Silo.Pages;

/// <summary>POST /preferences keeps a reader's theme or language in a cookie of the browser.</summary>
internal static class Preferences
{
    private const string ThemeCookie = "tally-theme", LanguageCookie = "tally-language";

    /// <summary>Themes that can be chosen. The empty one is that of the system.</summary>
    public static readonly IReadOnlyList<string> Themes = ["", "light", "dark"];

    public static void MapPreferences(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/preferences", (Delegate)Keep).ExcludeFromDescription();

    public static string? ThemeOf(HttpRequest request) =>
        request.Cookies[ThemeCookie] is { Length: > 0 } chosen && Themes.Contains(chosen) ? chosen : null;

    public static Language LanguageOf(HttpRequest request) =>
        Texts.Find(request.Cookies[LanguageCookie]) ?? Texts.LanguageFor(request.GetTypedHeaders());

    private static async Task<IResult> Keep(HttpContext context)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        if (form["theme"] is [{ } theme] && Themes.Contains(theme)) Set(context, ThemeCookie, theme);
        if (form["language"] is [{ } code] && Texts.Find(code) is not null) Set(context, LanguageCookie, code);
        return PageForms.GoTo(context, form);
    }

    private static void Set(HttpContext context, string name, string value) =>
        context.Response.Cookies.Append(name, value, new()
        {
            HttpOnly = true, SameSite = SameSiteMode.Strict, Secure = context.Request.IsHttps,
            MaxAge = TimeSpan.FromDays(365), IsEssential = true,
        });
}
