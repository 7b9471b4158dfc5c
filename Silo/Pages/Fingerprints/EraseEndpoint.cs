using Microsoft.AspNetCore.WebUtilities;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Access;
using Tally.Silo.Pages.Words;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>/fingerprint/erase asks whether to erase a fingerprint, and for the key; posting it does it.</summary>
internal static class EraseEndpoint
{
    public const string Path = "/fingerprint/erase";

    private const string True = "true";

    public static void MapErasePage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, async (HttpContext context, FrontEnd frontEnd, Limits limits, AccessKeys keys) =>
            Parse(context.Request.Query) is { } asked ? await Ask(context, asked, frontEnd, limits, keys)
                : PageForms.GoTo(context, ListAddress.Path));
        routes.MapPost(Path, Erase);
    }

    public static string AddressOf(string fingerprint, bool suppress) => QueryHelpers.AddQueryString(Path,
        new Dictionary<string, string?> { ["of"] = fingerprint, ["suppress"] = suppress ? True : null });

    private static (string Of, bool Suppress)? Parse(IQueryCollection query) =>
        query.One("of") is { } of ? (of, query.One("suppress") == True) : null;

    private static async Task<IResult> Ask(HttpContext context, (string Of, bool Suppress) asked, FrontEnd frontEnd,
        Limits limits, AccessKeys keys, string? problem = null, int status = 200)
    {
        var view = (await FingerprintEndpoints.View(FingerprintPath.Check(asked.Of, limits), frontEnd)).Result;
        if (view is Refusal { Status: not StatusCodes.Status404NotFound and not >= 500 } refused) return refused;
        return await PagesEndpoints.Render<ErasePage>(context, new()
        {
            [nameof(ErasePage.Of)] = asked.Of,
            [nameof(ErasePage.Suppress)] = asked.Suppress,
            [nameof(ErasePage.Events)] = view is JsonAnswer<FingerprintView> { Value.Total: var total } ? total : 0,
            [nameof(ErasePage.NeedsKey)] = keys.GuardErasing,
            [nameof(ErasePage.Problem)] = problem,
        }, status);
    }

    private static async Task<IResult> Erase(HttpContext context, FrontEnd frontEnd, Limits limits, AccessKeys keys,
        KeyTries tries, TimeProvider clock)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        if (Parse(context.Request.Query) is not { } asked) return PageForms.Malformed();
        var texts = new Texts(Preferences.LanguageOf(context.Request));
        if (keys.GuardErasing)
        {
            if (!tries.TryTake(context))
                return await Ask(context, asked, frontEnd, limits, keys, texts.TooManyTries,
                    StatusCodes.Status429TooManyRequests);
            if (context.RefusesToErase(form["key"] is [{ } key] ? key : "") is { } refusal)
                return await Ask(context, asked, frontEnd, limits, keys, texts.NoEraseKey, refusal.Status);
        }
        var answer = (await Http.EraseEndpoint.Erase(FingerprintPath.Check(asked.Of, limits),
            asked.Suppress ? True : null, frontEnd, clock)).Result;
        if (answer is Refusal { Status: >= 500 } open)
            return await Ask(context, asked, frontEnd, limits, keys, texts.EraseOpen, open.Status);
        return answer is not JsonAnswer<ErasureReceipt> { Value: var receipt } ? answer
            : await PagesEndpoints.Render<ErasedPage>(context, new() { [nameof(ErasedPage.Receipt)] = receipt });
    }
}
