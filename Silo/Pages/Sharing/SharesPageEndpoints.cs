using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Sharing;

/// <summary>/shares: which views are shared, and the forms that share and end one.</summary>
internal static class SharesPageEndpoints
{
    public static void MapSharesPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/shares", (HttpContext context, SqlStorage storage, ProductNames products) =>
            Show(context, storage, products, null));
        routes.MapPost("/shares", Share);
        routes.MapPost("/shares/end", End);
    }

    // Not a way back to the page, because the link is shown this once.
    private static async Task<IResult> Share(
        HttpContext context, SqlStorage storage, ProductNames products, Limits limits, TimeProvider clock)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        var made = (await ShareEndpoints.Put(form["name"], form["product"], storage, limits, clock)).Shown();
        return await Show(context, storage, products, made);
    }

    private static async Task<IResult> End(HttpContext context, SqlStorage storage, Limits limits)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        await ShareEndpoints.Delete(form["name"], storage, limits);
        return PageForms.GoTo(context, "/shares");
    }

    private static async Task<IResult> Show(
        HttpContext context, SqlStorage storage, ProductNames products, NewShare? made) =>
        await PagesEndpoints.Render<SharesPage>(context, new()
        {
            [nameof(SharesPage.Shares)] = (await ShareEndpoints.List(storage)).Shown().Shares,
            [nameof(SharesPage.Products)] = await products.Read(),
            [nameof(SharesPage.Made)] = made,
        });
}
