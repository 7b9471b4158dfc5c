using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Visits;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>GET /fingerprints: all of them, or the way to one.</summary>
internal static class ListEndpoint
{
    private const string RowsMax = "50";

    public static void MapFingerprintsPage(this IEndpointRouteBuilder routes) => routes.MapGet(ListAddress.Path, Get);

    private static async Task<IResult> Get(HttpContext context, FrontEnd frontEnd, FreshVisits visits,
        SqlStorage storage, ProductNames products, VisitorSettings visitors, Limits limits)
    {
        var query = context.Request.Query;
        var address = ListAddress.Parse(query);
        IReadOnlyList<RecordedReceipt> found = [];
        if (query.One("find") is { } asked)
        {
            found = await Find(context, asked, frontEnd, storage, limits);
            if (found is [var one])
                return PageForms.GoTo(context, new FingerprintAddress(one.Fingerprint)
                { Event = one.Sequence > 0 ? one.Sequence : null }.ToString());
        }
        var page = (await FingerprintListEndpoint.List(context, address.Sort, address.Product, address.After, RowsMax,
            visits, limits)).Shown();
        return await PagesEndpoints.Render<ListPage>(context, new()
        {
            [nameof(ListPage.Address)] = address,
            [nameof(ListPage.List)] = page,
            [nameof(ListPage.Asked)] = query.One("find"),
            [nameof(ListPage.Found)] = found,
            [nameof(ListPage.Products)] = await products.Read(),
            [nameof(ListPage.AreOfOneDay)] = visitors.Fingerprints == FingerprintSource.Server,
        });
    }

    // A fingerprint stands for itself, without a sequence; else the events with an id.
    private static async Task<IReadOnlyList<RecordedReceipt>> Find(
        HttpContext context, string asked, FrontEnd frontEnd, SqlStorage storage, Limits limits)
    {
        var view = (await FingerprintEndpoints.View(FingerprintPath.Check(asked, limits), frontEnd)).Result;
        if (view is Refusal { Status: >= 500 } failed) throw new RefusedException(failed);
        if (view is not Refusal) return [new(asked, 0, "", "", default, default)];
        var receipts = (await ReceiptEndpoint.Find(asked, null, null, storage, limits, context.RequestAborted)).Result;
        if (receipts is Refusal { Status: >= 500 } unanswered) throw new RefusedException(unanswered);
        return receipts is JsonAnswer<ReceiptsAnswer> { Value.Receipts: var found } ? found : [];
    }
}
