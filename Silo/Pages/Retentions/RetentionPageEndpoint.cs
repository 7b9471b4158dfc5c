using Tally.Contracts;
using Tally.Silo.Http.Visits;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Retentions;

/// <summary>GET /retention: who came back, as a table of cohorts.</summary>
internal static class RetentionPageEndpoint
{
    public static void MapRetentionPage(this IEndpointRouteBuilder routes) => routes.MapGet("/retention", Get);

    private static async Task<IResult> Get(HttpContext context, string? product, string? period, FreshVisits visits,
        ProductNames products, Calendar calendar, Limits limits, TimeProvider clock)
    {
        product = product is "" ? null : product;
        period = period is "day" or "month" ? period : "week";
        var answer = (await RetentionEndpoint.Get(
            context, product, period, null, visits, calendar, limits, clock)).Shown();
        return await PagesEndpoints.Render<RetentionPage>(context, new()
        {
            [nameof(RetentionPage.Answer)] = answer,
            [nameof(RetentionPage.Products)] = await products.Read(),
        });
    }
}
