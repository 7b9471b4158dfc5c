using System.Text.Json;
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

    public static void MapSegment(this IEndpointRouteBuilder routes)
    {
        var v1 = routes.MapGroup("/v1");
        v1.ExcludeFromDescription(); // its own documentation describes it
        v1.AllowAnonymous(); // the key may be in the body, so it is judged when that was read
        foreach (var type in Types)
        {
            Task<IResult> Post(HttpRequest request, Intake intake, Limits limits, TimeProvider clock) =>
                PostOne(request, type, intake, limits, clock);
            v1.MapPost(type, Post);
            v1.MapPost(type[..1], Post); // as the SDK for browsers calls it
        }
        v1.MapPost("batch", PostBatch);
        v1.MapPost("b", PostBatch);
        v1.MapGet("projects/{writeKey}/settings", SegmentSettings.Get);
    }

    private static async Task<IResult> PostOne(HttpRequest request, string type, Intake intake, Limits limits, TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, clock);
        if (body is null) return Refused(refusal!);
        var item = SegmentMessage.Read(body.Json, type, body);
        var answer = item.Fields is { } fields ? await intake.Record(fields, request.HttpContext) : Intake.Refused(item.Refusal!);
        return answer.Refusal is null ? Success : answer.Refusal;
    }

    private static async Task<IResult> PostBatch(HttpRequest request, Intake intake, Limits limits, TimeProvider clock)
    {
        var (body, refusal) = await SegmentBody.Read(request, limits, clock);
        if (body is null) return Refused(refusal!);
        if (!body.Json.TryGetProperty("batch", out var batch) || batch.ValueKind != JsonValueKind.Array)
            return Refused(Refusal.MissingField("batch"));
        if (batch.GetArrayLength() > limits.BatchBodyEventsMax) return Refused(Refusal.BatchTooLarge(limits));

        var done = new BatchProgress(intake, request.HttpContext);
        foreach (var part in batch.EnumerateArray().Chunk(limits.BatchPartEventsMax))
        {
            await done.Record(() => [.. part.Select(message => SegmentMessage.Read(message, null, body))]);
            if (done.Open is not null) break;
        }
        var receipt = done.ToReceipt();
        if (done.Open is { } open) return open with { Batch = receipt };
        return receipt.Refused.Count == 0 ? Success : Refusal.MessagesRefused(receipt);
    }

    private static IResult Success => new JsonAnswer<SegmentSuccess>(new(true), HttpJson.Default.SegmentSuccess);

    private static IResult Refused(Refusal refusal) => Intake.Refused(refusal).ToResult();
}
