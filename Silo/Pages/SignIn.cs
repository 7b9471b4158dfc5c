using System.Security.Cryptography;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Access;
using Tally.Silo.Pages.Words;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages;

/// <summary>POST /sign-in takes a read key and gives a session; POST /sign-out ends it.</summary>
internal static class SignIn
{
    public static void MapSignIn(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/sign-in", Try).ExcludeFromDescription();
        routes.MapPost("/sign-out", async (HttpContext context) =>
        {
            await context.SignOut();
            return PageForms.GoTo(context, "/");
        }).ExcludeFromDescription();
    }

    /// <summary>Asks for a read key.</summary>
    /// <param name="to">Where to go then.</param>
    public static Task<IResult> Ask(HttpContext context, string to, int status = 401, string? problem = null) =>
        PagesEndpoints.Render<SignInPage>(context, new()
        {
            [nameof(SignInPage.To)] = to,
            [nameof(SignInPage.Problem)] = problem,
        }, status);

    private static async Task<IResult> Try(HttpContext context, AccessKeys keys, KeyTries tries)
    {
        var texts = new Texts(Preferences.LanguageOf(context.Request));
        if (!tries.TryTake(context))
            return await Ask(context, "/", StatusCodes.Status429TooManyRequests, texts.TooManyTries);
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        try
        {
            return form["key"] is [{ } key] && await context.SignIn(keys, key) ? PageForms.GoTo(context, form)
                : await Ask(context, PageForms.AddressIn(form), problem: texts.NoReadKey);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CryptographicException)
        {
            return await Ask(context, PageForms.AddressIn(form), StatusCodes.Status503ServiceUnavailable,
                texts.DatabaseAway);
        }
    }
}
