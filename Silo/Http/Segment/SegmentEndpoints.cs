using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Segment;

/// <param name="Success">Always true: what is not is a refusal.</param>
public sealed record SegmentSuccess(bool Success);

/// <summary>
/// Segment's HTTP API, as its SDKs speak it. They look at the status alone: 5xx and 429 are sent again, any other 4xx is
/// given up and told to the program. So a batch with a message that is refused is answered 4xx, though the others are
/// recorded: with 200 nobody would know.
/// </summary>
internal static class SegmentEndpoints
{
    public static readonly string[] Types = ["track", "page", "screen", "identify", "group", "alias"];

    // Ruby, .NET, Java and Android say import; docs/api.md lists who says what.
    private static readonly string[] BatchPaths = ["batch", "import", "b"];

    public static void MapSegment(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1");
        v1.ExcludeFromDescription(); // its own documentation describes it
        v1.AllowAnonymous(); // the key may be in the body, so it is judged when that was read
        foreach (var type in Types)
        {
            Task<IResult> Post(HttpRequest request, Intake intake, Limits limits, BodyRoom room, TimeProvider clock) =>
                PostOne(request, type, intake, limits, room, clock);
            v1.MapPost(type, Post);
            v1.MapPost(type[..1], Post); // as the SDK for browsers calls it
        }
        foreach (var path in BatchPaths) v1.MapPost(path, PostBatch);
        v1.MapPost("m", () => Success); // what SDKs measure of themselves; nobody here asks for it
        v1.MapGet("projects/{writeKey}/settings", SegmentSettings.Get);
        v1.MapSegmentPixel();
    }

    private static async Task<IResult> PostOne(HttpRequest request, string type, Intake intake, Limits limits, BodyRoom room, TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, room);
        if (body is null) return Refused(refusal!);
        return (await Record(body, type, intake, request.HttpContext, clock)).Refusal is { } refused ? refused : Success;
    }

    /// <summary>Records the one message that a body is.</summary>
    public static async ValueTask<EventAnswer> Record(SegmentBody body, string type, Intake intake, HttpContext context, TimeProvider clock)
    {
        var item = SegmentMessage.Read(body.Json, type, body, clock.GetUtcNow());
        return item.Fields is { } fields ? await intake.Record(fields, context) : Intake.Refused(item.Refusal!);
    }

    private static async Task<IResult> PostBatch(HttpRequest request, Intake intake, Limits limits, BodyRoom room, TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, room);
        if (body is null) return Refused(refusal!);
        var (messages, tooMany) = body.FindMessages(limits.BatchBodyEventsMax);
        if (messages is null) return Refused(tooMany ? Refusal.BatchTooLarge(limits) : Refusal.MissingField("batch"));

        var now = clock.GetUtcNow();
        var done = new BatchProgress(intake, request.HttpContext);
        foreach (var part in messages.Chunk(limits.BatchPartEventsMax))
        {
            await done.Record(() => [.. part.Select(message => SegmentMessage.Read(body.Json[message], null, body, now))]);
            if (done.Open is not null) break;
        }
        var receipt = done.ToReceipt();
        if (done.Open is { } open) return open with { Batch = receipt };
        return receipt.Refused.Count == 0 ? Success : Refusal.MessagesRefused(receipt);
    }

    private static IResult Success => new JsonAnswer<SegmentSuccess>(new(true), HttpJson.Default.SegmentSuccess);

    public static IResult Refused(Refusal refusal) => Intake.Refused(refusal).ToResult();
}
