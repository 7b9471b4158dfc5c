using System.Text.Json;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Trackers.GoatCounter;

/// <summary>An answer without anything in it.</summary>
public sealed record GoatCounterAnswer;

/// <summary>
/// GoatCounter's <c>/count</c>, as its script loads it as an image or sends it as a beacon, and its API's
/// <c>/api/v0/count</c>. Both have all of an event in the query or in the body, and no id.
/// </summary>
internal static class GoatCounterEndpoints
{
    private const string Product = "product"; // in the address that the site's owner writes: GoatCounter has none

    public static void MapGoatCounter(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/count", Count);
        routes.MapPost("/count", Count);
        routes.MapPost("/api/v0/count", CountHits);
    }

    private static async Task<IResult> Count(HttpContext context, TrackerIntake intake)
    {
        PixelEndpoint.AllowAnyPage(context.Response);
        if (ParseQuery(context.Request.QueryString, out var query) is { } malformed) return malformed;
        var host = HostOf(context.Request);
        if (TrackerIntake.FindProduct(context, query.GetValueOrDefault(KeyAuthentication.QueryName),
            query.GetValueOrDefault(Product) ?? host, out var product) is { } closed) return closed;
        var (fields, invalid) = GoatCounterHit.Parse(query, product, host);
        return fields is null ? invalid! : PixelEndpoint.ImageUnless(await intake.Record(fields, context));
    }

    // 400 says that the refused hits are not to be sent again, and that all others are counted; so does GoatCounter's.
    private static async Task<IResult> CountHits(HttpContext context, TrackerIntake intake)
    {
        var (json, unread) = await intake.ReadJson(context.Request, intake.Limits.BatchBodyBytesMax);
        if (unread is not null) return unread;
        if (ParseQuery(context.Request.QueryString, out var query) is { } malformed) return malformed;
        if (TrackerIntake.FindProduct(context, null, query.GetValueOrDefault(Product), out var product) is { } closed)
            return closed;
        var hits = json.Member("hits");
        if (hits.ValueKind != JsonValueKind.Array) return Refusal.MissingField("hits");
        var isHistory = TrackerIntake.MayWriteHistory(context);
        var (_, refusal) = await intake.RecordAll([.. hits.EnumerateArray()],
            hit => GoatCounterHit.Parse(hit, product, isHistory), context);
        return refusal is not null ? refusal
            : new JsonAnswer<GoatCounterAnswer>(new(), HttpJson.Default.GoatCounterAnswer,
                StatusCodes.Status202Accepted);
    }

    // The script appends its query, with a question mark, to whatever it has for an address. Within its values one is
    // encoded.
    private static Refusal? ParseQuery(QueryString query, out Dictionary<string, string> pairs) =>
        FormPairs.Parse(new QueryString(query.Value is ['?', .. var text] ? "?" + text.Replace('?', '&') : ""),
            out pairs);

    // A beacon has its page's origin, an image its address.
    private static string? HostOf(HttpRequest request) =>
        (PageUrl.Parse(request.Headers.Origin) ?? PageUrl.Parse(request.Headers.Referer))?.Host;
}
