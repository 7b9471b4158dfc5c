using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Net.Http.Headers;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http;
using Tally.Silo.Http.Access;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages;

/// <summary>The pages for people. Each is made on the server, from the answers of the API.</summary>
internal static class PagesEndpoints
{
    private const string Policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        + "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        + "require-trusted-types-for 'script'";

    public static void AddPages(this IServiceCollection services) => services.AddSingleton<OverviewQuestions>();

    public static void MapPages(this WebApplication app)
    {
        var pages = app.MapGroup("");
        pages.AnswerHead();
        pages.MapPageAssets();
        pages.MapGet("/", GetOverview).ExcludeFromDescription()
            .AddEndpointFilter(Admit).AddEndpointFilter(ShowUnanswered)
            .AddEndpointFilter(app.Services.GetRequiredService<QueryLimiter>());
        if (app.Services.GetRequiredService<AccessKeys>().GuardReading)
            pages.MapSignIn(app.Services.GetRequiredService<Limits>());
    }

    // Before it takes a turn among the questions.
    private static async ValueTask<object?> Admit(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var http = context.HttpContext;
        http.Response.Headers.Vary = HeaderNames.Accept;
        if (!TakesHtml(http.Request)) return Refusal.NotFound();
        return Keys(http).GuardReading && http.Key() is not { Reads: true }
            ? await SignIn.Ask(http, StateOf(http).ToAddress()) : await next(context);
    }

    // Too many questions are under way: a person gets a page too.
    private static async ValueTask<object?> ShowUnanswered(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next) =>
        await next(context) is var answer && answer is Refusal { Status: StatusCodes.Status503ServiceUnavailable }
            ? await Show(context.HttpContext, Overview.NotAnswered) : answer;

    private static async Task<IResult> GetOverview(HttpContext context, OverviewQuestions questions) =>
        await Show(context, await questions.Ask(context, StateOf(context)));

    private static Task<IResult> Show(HttpContext context, Overview overview) =>
        Render<OverviewPage>(context, overview.Failed ? 503 : 200, new()
        {
            [nameof(OverviewPage.State)] = StateOf(context),
            [nameof(OverviewPage.Overview)] = overview,
            [nameof(OverviewPage.Calendar)] = context.RequestServices.GetRequiredService<Calendar>(),
            [nameof(OverviewPage.Address)] = $"{context.Request.Scheme}://{context.Request.Host}",
            [nameof(OverviewPage.NeedsReadKey)] = Keys(context).GuardReading,
            [nameof(OverviewPage.NeedsWriteKey)] = Keys(context).GuardWriting,
        });

    private static OverviewState StateOf(HttpContext context) =>
        OverviewState.Of(context.Request.Query, context.RequestServices.GetRequiredService<Limits>());

    private static AccessKeys Keys(HttpContext context) => context.RequestServices.GetRequiredService<AccessKeys>();

    private static bool TakesHtml(HttpRequest request) => request.GetTypedHeaders().Accept
        .Any(accepted => accepted.MediaType.Equals("text/html", StringComparison.OrdinalIgnoreCase)
            && accepted.Quality is not 0);

    /// <summary>Makes a page.</summary>
    public static async Task<IResult> Render<TPage>(
        HttpContext context, int status, Dictionary<string, object?> parameters) where TPage : IComponent
    {
        var services = context.RequestServices;
        await using var renderer = new HtmlRenderer(services, services.GetRequiredService<ILoggerFactory>());
        var html = await renderer.Dispatcher.InvokeAsync(async () =>
            (await renderer.RenderComponentAsync<TPage>(ParameterView.FromDictionary(parameters))).ToHtmlString());
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        return Results.Text(html, "text/html; charset=utf-8", statusCode: status);
    }
}
