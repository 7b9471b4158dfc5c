using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.Primitives;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;

namespace Tally.Silo.Pages.Overviews;

/// <summary>GET /: what there is, and how much of it.</summary>
internal static class OverviewEndpoint
{
    private const int SearchLettersMax = 256;

    public static void MapOverview(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", Get);
        routes.MapGet("/list.csv", GetCsv);
        routes.MapPost("/annotations", AnnotationForms.Post);
    }

    private static Task<IResult> Get(
        HttpContext context, OverviewQuestions questions, Dimensions dimensions, Limits limits) =>
        Show(context, OverviewState.Parse(context.Request.Query, dimensions, limits), questions);

    public static async Task<IResult> Show(HttpContext context, OverviewState state, OverviewQuestions questions)
    {
        var query = context.Request.Query;
        if (NameOfList(query["panel"], questions) is { } panel)
            return await PagesEndpoints.Render<PanelPage>(context, new()
            {
                [nameof(PanelPage.State)] = state,
                [nameof(PanelPage.List)] = await questions.List(context, state, panel, questions.ListMax),
                [nameof(PanelPage.ListMax)] = questions.ListMax,
                [nameof(PanelPage.Search)] = query["search"] is [{ Length: > 0 and <= SearchLettersMax } search]
                    ? search : null,
                [nameof(PanelPage.Number)] = query["page"] is [PanelPage.Whole] ? 0
                    : query["page"] is [{ } text] && int.TryParse(text, out var number) ? Math.Max(1, number) : 1,
            });
        if (NameOfList(query["list"], questions) is { } of)
        {
            var list = await questions.List(context, state, of, OverviewQuestions.RowsMax + 1);
            return await Part(context, state, Html<ListPanel>(
                (nameof(ListPanel.State), state), (nameof(ListPanel.List), list)));
        }
        if (query["figures"] is ["sessions"])
        {
            var sessions = await questions.Sessions(context, state);
            return await Part(context, state, Html<SessionsFigures>(
                (nameof(SessionsFigures.State), state), (nameof(SessionsFigures.Sessions), sessions)));
        }
        return await PagesEndpoints.Render<OverviewPage>(context, new()
        {
            [nameof(OverviewPage.State)] = state,
            [nameof(OverviewPage.Overview)] = await questions.Ask(context, state),
        });
    }

    // What the script puts in its place, and who has no script sees alone.
    private static Task<IResult> Part(HttpContext context, OverviewState state, RenderFragment content) =>
        PagesEndpoints.Render<PartPage>(context, new()
        {
            [nameof(PartPage.State)] = state, [nameof(PartPage.ChildContent)] = content,
        });

    private static RenderFragment Html<T>(params (string Name, object Value)[] parameters) where T : IComponent =>
        builder =>
        {
            builder.OpenComponent<T>(0);
            foreach (var (name, value) in parameters) builder.AddComponentParameter(1, name, value);
            builder.CloseComponent();
        };

    private static Task<IResult> GetCsv(
        HttpContext context, OverviewQuestions questions, Dimensions dimensions, Limits limits) =>
        ShowCsv(context, OverviewState.Parse(context.Request.Query, dimensions, limits), questions, limits);

    public static async Task<IResult> ShowCsv(
        HttpContext context, OverviewState state, OverviewQuestions questions, Limits limits)
    {
        if (NameOfList(context.Request.Query["panel"], questions) is not { } of) return Refusal.NotFound();
        var list = await questions.List(context, state, of, questions.ListMax);
        return list.Rows.Value is { } rows ? new CsvList(of, rows, state.ComparedWith is not null)
            : throw new RefusedException(list.Rows.Why switch
            {
                Missing.NotAnswered => Refusal.QuestionNotAnswered(),
                Missing.TooManyDays => Refusal.TooManyDays(limits.UniquesDaysMax),
                _ => Refusal.NotWithDimensions("panel", "This list is not counted with such a filter."),
            });
    }

    private static string? NameOfList(StringValues asked, OverviewQuestions questions) =>
        asked is [{ } name] && questions.Lists.Contains(name) ? name : null;
}
