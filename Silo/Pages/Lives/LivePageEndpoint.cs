using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Live;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Lives;

/// <summary>GET /live: events as they come. The page has the newest ones, and its script follows the stream.</summary>
internal static class LivePageEndpoint
{
    private const int EventsShown = 50;

    public static void MapLivePage(this IEndpointRouteBuilder routes) => routes.MapGet("/live", Get);

    private static async Task<IResult> Get(HttpContext context, string? product, string? action, EventFeed feed,
        SqlStorage storage, ProductNames names, Calendar calendar, Limits limits, TimeProvider clock)
    {
        (product, action) = (product is "" ? null : product, action is "" ? null : action);
        if ((QueryValue.CheckText("product", product, limits.ProductBytesMax)
            ?? QueryValue.CheckText("action", action, limits.ActionBytesMax)) is { } refusal)
            throw new RefusedException(refusal);
        var position = await feed.Begin(); // first: what comes while the events are read is in the stream
        var yesterday = calendar.DayOf(clock.GetUtcNow().UtcDateTime.AddDays(-1));
        var events = await Task.Run(() => storage.ReadRecentEvents(
            yesterday, product, action, EventsShown, context.RequestAborted), context.RequestAborted);
        return await PagesEndpoints.Render<LivePage>(context, new()
        {
            [nameof(LivePage.Product)] = product,
            [nameof(LivePage.Action)] = action,
            [nameof(LivePage.Position)] = $"{position}",
            [nameof(LivePage.Events)] = events.Select(FeedEvent.From).ToList(),
            [nameof(LivePage.Products)] = await names.Read(),
            [nameof(LivePage.Actions)] = await names.ReadActions(product),
        });
    }
}
