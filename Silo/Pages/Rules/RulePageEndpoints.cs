using Microsoft.AspNetCore.WebUtilities;
using Tally.Silo.Http.Rules;

namespace Tally.Silo.Pages.Rules;

/// <summary>/rules: all rules and what they did, and a form for a new one. /rule: one of them, and what it can be told.
/// </summary>
internal static class RulePageEndpoints
{
    public const string Path = "/rules", OnePath = "/rule";

    public const string Name = "name", State = "state";

    public static void MapRulePages(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, (HttpContext context, RulePages pages) => pages.ShowAll(context));
        routes.MapGet(OnePath, (HttpContext context, RulePages pages) =>
            context.Request.Query.One(Name) is { } name && RulePath.IsName(name) ? pages.ShowOne(context, name)
                : Task.FromResult(PageForms.GoTo(context, Path)));
    }

    /// <summary>Not under the questions' limits: a sample waits for its receiver.</summary>
    public static void MapRuleForms(this IEndpointRouteBuilder routes)
    {
        routes.MapPost(Path, (HttpContext context, RulePages pages) => pages.Put(context));
        routes.MapPost(OnePath + "/test", (HttpContext context, RulePages pages) => pages.Test(context));
        routes.MapPost(OnePath + "/replay", (HttpContext context, RulePages pages) => pages.Replay(context));
        routes.MapPost(OnePath + "/secret", (HttpContext context, RulePages pages) => pages.MakeSecret(context));
        routes.MapPost(OnePath + "/end", (HttpContext context, RulePages pages) => pages.End(context));
    }

    public static string AddressOf(string name) => QueryHelpers.AddQueryString(OnePath, Name, name);
}
