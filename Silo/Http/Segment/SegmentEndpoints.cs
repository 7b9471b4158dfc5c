using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Segment;

/// <param name="Success">Always true: anything else is a refusal.</param>
public sealed record SegmentSuccess(bool Success);

/// <summary>
/// Segment's HTTP API, as its SDKs use it. They look only at the status: they send again after 5xx and 429, and after
/// any other 4xx they give up and tell the program. So a batch with a refused message is answered 4xx, though the other
/// messages are recorded: with 200 nobody would know.
/// </summary>
internal static class SegmentEndpoints
{
    public static readonly string[] Types = ["track", "page", "screen", "identify", "group", "alias"];

    // Ruby, .NET, Java and Android use import; docs/reference/segment.md lists the SDKs.
    private static readonly string[] BatchPaths = ["batch", "import", "b"];

    public static void MapSegment(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1");
        v1.ExcludeFromDescription(); // Segment documents it
        v1.AllowAnonymous(); // the key may be in the body: SegmentBody authorizes the request
        foreach (var type in Types)
        {
            Task<IResult> Post(
                HttpRequest request, Ingestion ingestion, Limits limits, LargeBodyLimiter bodies, TimeProvider clock) =>
                PostOne(request, type, ingestion, limits, bodies, clock);
            v1.MapPost(type, Post);
            v1.MapPost(type[..1], Post); // the path of the SDK for browsers
        }
        foreach (var path in BatchPaths) v1.MapPost(path, PostBatch);
        v1.MapPost("m", () => Success); // the SDKs' own metrics, which are not kept
        v1.MapGet("projects/{writeKey}/settings", SegmentSettings.Get);
        v1.MapSegmentPixel();
    }

    private static async Task<IResult> PostOne(
        HttpRequest request, string type, Ingestion ingestion, Limits limits, LargeBodyLimiter bodies,
        TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, bodies);
        if (body is null) return refusal!;
        return await Record(body, type, ingestion, request.HttpContext, clock) is { } refused ? refused : Success;
    }

    /// <summary>Records a body that is one message.</summary>
    /// <returns>Why it is refused, or null.</returns>
    public static async ValueTask<Refusal?> Record(
        SegmentBody body, string type, Ingestion ingestion, HttpContext context, TimeProvider clock)
    {
        var item = SegmentMessage.Parse(body.Json, type, body, clock.GetUtcNow());
        return item.Fields is { } fields ? (await ingestion.Record(fields, context)).Refusal : item.Refusal;
    }

    private static async Task<IResult> PostBatch(
        HttpRequest request, Ingestion ingestion, Limits limits, LargeBodyLimiter bodies, TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, bodies);
        if (body is null) return refusal!;
        var (messages, tooMany) = body.FindMessages(limits.BatchBodyEventsMax);
        if (messages is null) return tooMany ? Refusal.BatchTooLarge(limits) : Refusal.MissingField("batch");

        var now = clock.GetUtcNow();
        var progress = new BatchProgress(ingestion, request.HttpContext);
        foreach (var part in messages.Chunk(limits.BatchPartEventsMax))
        {
            await progress.Record(() =>
                [.. part.Select(message => SegmentMessage.Parse(body.Json[message], null, body, now))]);
            if (progress.Unfinished is not null) break;
        }
        var receipt = progress.ToReceipt();
        if (progress.Unfinished is { } unfinished) return unfinished with { Batch = receipt };
        return receipt.Refused.Count == 0 ? Success : Refusal.MessagesRefused(receipt);
    }

    private static IResult Success => new JsonAnswer<SegmentSuccess>(new(true), HttpJson.Default.SegmentSuccess);
}
