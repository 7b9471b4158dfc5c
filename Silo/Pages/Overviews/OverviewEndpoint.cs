using Tally.Contracts;

namespace Tally.Silo.Pages.Overviews;

/// <summary>GET /: what there is, and how much of it.</summary>
internal static class OverviewEndpoint
{
    public static void MapOverview(this IEndpointRouteBuilder routes) => routes.MapGet("/", Get);

    private static async Task<IResult> Get(HttpContext context, OverviewQuestions questions, Limits limits)
    {
        var state = OverviewState.Of(context.Request.Query, limits);
        return await PagesEndpoints.Render<OverviewPage>(context, new()
        {
            [nameof(OverviewPage.State)] = state,
            [nameof(OverviewPage.Overview)] = await questions.Ask(context, state),
        });
    }
}
