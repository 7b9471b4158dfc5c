using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Tally.Grains.EventLog;
using Tally.Silo.Http;
using Tally.Silo.Http.Access;
using Tally.Silo.Pages.Clusters;
using Tally.Silo.Pages.Fingerprints;
using Tally.Silo.Pages.Funnels;
using Tally.Silo.Pages.Lives;
using Tally.Silo.Pages.Overviews;
using Tally.Silo.Pages.Proofs;
using Tally.Silo.Pages.Retentions;
using Tally.Silo.Pages.Rules;
using Tally.Silo.Pages.Sharing;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages;

/// <summary>
/// The pages for people. Each is made on the server, from the answers of the API. Its handler throws
/// <see cref="EventLogUnavailableException"/> or <see cref="RefusedException"/> where there is no answer to show.
/// </summary>
internal static class PagesEndpoints
{
    public static void AddPages(this IServiceCollection services, AppSettings settings)
    {
        services.AddSingleton(new PagePolicy(settings.FrameAncestors));
        services.AddSingleton<OverviewQuestions>();
        services.AddSingleton<ProductNames>();
        services.AddSingleton<KeyTries>();
        services.AddSingleton<FingerprintQuestions>();
        services.AddSingleton<RulePages>();
    }

    public static void MapPages(this WebApplication app)
    {
        var all = app.MapGroup("").RefuseCrossSite().CompressAnswers();
        all.AnswerHead();
        all.MapPageAssets();
        all.MapPreferences();
        if (app.Services.GetRequiredService<AccessKeys>().GuardReading) all.MapSignIn();

        var pages = all.MapGroup("").AddEndpointFilter(Admit).AddEndpointFilter(ShowUnanswered);
        pages.ExcludeFromDescription();
        var asking = pages.MapGroup("").AddEndpointFilter(app.Services.GetRequiredService<QueryLimiter>());
        asking.MapOverview();
        asking.MapFingerprintsPage();
        asking.MapFingerprintPage();
        asking.MapLivePage();
        asking.MapFunnelPage();
        asking.MapRetentionPage();
        asking.MapSharesPage();
        asking.MapProofPage();
        asking.MapClusterPage();
        asking.MapRulePages();
        pages.MapErasePage();
        pages.MapRuleForms();

        var shared = all.MapGroup(ShareEndpoints.PagePath + "/{token}").AddEndpointFilter(ShowUnanswered)
            .AddEndpointFilter(app.Services.GetRequiredService<QueryLimiter>());
        shared.ExcludeFromDescription();
        shared.MapSharedOverview();
    }

    /// <summary>Makes a page.</summary>
    public static async Task<IResult> Render<TPage>(
        HttpContext context, Dictionary<string, object?> parameters, int status = 200) where TPage : IComponent
    {
        var services = context.RequestServices;
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        RenderFragment page = builder =>
        {
            builder.OpenComponent<TPage>(0);
            builder.AddMultipleAttributes(1, parameters!);
            builder.CloseComponent();
        };
        var around = ParameterView.FromDictionary(new Dictionary<string, object?>
        {
            [nameof(CascadingValue<>.Value)] = PageContext.From(context),
            [nameof(CascadingValue<>.ChildContent)] = page,
        });
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<CascadingValue<PageContext>>(around)).ToHtmlString());
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = services.GetRequiredService<PagePolicy>().Text;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        return Results.Text(html, "text/html; charset=utf-8", statusCode: status);
    }

    /// <summary>What a handler of the API answers, for a page to show.</summary>
    public static T Shown<T>(this Results<JsonAnswer<T>, Refusal> answer) where T : class =>
        answer.Result is JsonAnswer<T> { Value: var value } ? value
            : throw new RefusedException((Refusal)answer.Result);

    // Before it takes a turn among the questions.
    private static async ValueTask<object?> Admit(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.Headers.Vary = HeaderNames.Accept;
        if (!TakesHtml(http.Request)) return Refusal.NotFound();
        var keys = http.RequestServices.GetRequiredService<AccessKeys>();
        return keys.GuardReading && http.Key() is not { Reads: true }
            ? await SignIn.Ask(http, PageContext.From(http).Path) : await next(context);
    }

    private static async ValueTask<object?> ShowUnanswered(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context) is var answer && answer is Refusal refusal
                ? await Show(context.HttpContext, refusal) : answer;
        }
        catch (RefusedException refused)
        {
            return await Show(context.HttpContext, refused.Refusal);
        }
        catch (EventLogUnavailableException)
        {
            return await Show(context.HttpContext, Refusal.QuestionNotAnswered());
        }
    }

    private static Task<IResult> Show(HttpContext context, Refusal refusal)
    {
        var texts = PageContext.From(context).Texts;
        var isLate = refusal.Status == StatusCodes.Status503ServiceUnavailable;
        return Render<MessagePage>(context, new()
        {
            [nameof(MessagePage.Title)] = isLate ? texts.NotAnswered : texts.NotPossible,
            [nameof(MessagePage.Text)] = isLate ? texts.NotAnsweredWhy : refusal.Detail,
            [nameof(MessagePage.Renews)] = isLate,
        }, refusal.Status);
    }

    private static bool TakesHtml(HttpRequest request) => request.GetTypedHeaders().Accept
        .Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase)
            && accepted.Quality is not 0);
}
