using Tally.Silo.Http.Access;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.PostHog;

/// <param name="Status">Always 1: anything else is a refusal.</param>
public sealed record PostHogStatus(int Status);

/// <summary>
/// PostHog's HTTP API, as its SDKs use it. They send again after 5xx and take 4xx for final. So a batch with a refused
/// event is answered 4xx, though the other events are recorded.
/// </summary>
internal static class PostHogEndpoints
{
    // All take one event or many, in any of the forms. The SDKs end most of them with a slash, which routing skips.
    private static readonly string[] CapturePaths = ["/capture", "/e", "/batch", "/i/v0/e"];

    public static void MapPostHog(this IEndpointRouteBuilder routes)
    {
        foreach (var path in CapturePaths) routes.MapPost(path, Capture);
        routes.MapPostHogSettings();
    }

    private static async Task<IResult> Capture(HttpContext context, TrackerIntake intake)
    {
        var (sent, unread) = await PostHogBody.Read(context.Request, intake);
        if (sent is null) return unread!;
        if (FindProduct(context, sent.Token, out var product) is { } closed) return closed;

        var now = intake.Now;
        BatchItem Parse(Range place) => PostHogEvent.Parse(sent.Json.AsSpan(place), sent.SentAt, product, context,
            intake.Limits, now);
        if (sent.IsBatch)
            return (await intake.RecordAll(sent.Events, Parse, context)).Refusal is { } refused ? refused : Success;
        var item = Parse(sent.Events[0]);
        return (item.Fields is { } fields ? await intake.Record(fields, context) : item.Refusal) is { } refusal
            ? refusal : Success;
    }

    // The token is the product. If it is a key, it stays a secret, and the product is the one that it is bound to.
    private static Refusal? FindProduct(HttpContext context, string? token, out string? product)
    {
        var before = context.Key();
        if (TrackerIntake.FindProduct(context, token, null, out product) is { } refusal) return refusal;
        var isKey = before is null && context.Key() is not null;
        if (isKey && product is null) return Refusal.NoProduct();
        product ??= token;
        return product is null ? Refusal.MissingField("api_key") : null;
    }

    private static IResult Success => new JsonAnswer<PostHogStatus>(new(1), HttpJson.Default.PostHogStatus);
}
