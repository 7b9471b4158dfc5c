using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Pages.Overviews;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Sharing;

/// <summary>GET /shared/TOKEN: the overview of the one product that a link shares.</summary>
internal static class SharedOverview
{
    public static void MapSharedOverview(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", (HttpContext context, string token, SqlStorage storage, OverviewQuestions questions,
            Dimensions dimensions, Limits limits) => Show(context, token, storage, dimensions, limits,
                state => OverviewEndpoint.Show(context, state, questions)));
        routes.MapGet("/list.csv", (HttpContext context, string token, SqlStorage storage, OverviewQuestions questions,
            Dimensions dimensions, Limits limits) => Show(context, token, storage, dimensions, limits,
                state => OverviewEndpoint.ShowCsv(context, state, questions, limits)));
    }

    private static async Task<IResult> Show(HttpContext context, string token, SqlStorage storage,
        Dimensions dimensions, Limits limits, Func<OverviewState, Task<IResult>> show)
    {
        if (await ShareEndpoints.Find(storage, token) is { } share)
            return await show(OverviewState.Parse(context.Request.Query, dimensions, limits) with
            {
                Home = $"{ShareEndpoints.PagePath}/{token}/",
                Product = share.Product,
            });
        var texts = PageContext.From(context).Texts;
        return await PagesEndpoints.Render<MessagePage>(context, new()
        {
            [nameof(MessagePage.Title)] = texts.LinkEnded,
            [nameof(MessagePage.Text)] = texts.LinkEndedWhy,
        }, StatusCodes.Status404NotFound);
    }
}
