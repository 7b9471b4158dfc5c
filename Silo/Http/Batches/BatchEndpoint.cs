using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Batches;

/// <summary>Many events come in with one request.</summary>
internal static class BatchEndpoint
{
    public static void MapBatches(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/events/batch", Post)
            .TakesParameters("history", "writeKey")
            .WithName("PostBatch")
            .WithSummary("Record many events")
            .WithDescription("A JSON array of events, or one JSON object a line. Answers 200 when each is committed and counted "
                + "exactly once, or refused for good; other answers say in batch what was done. A batch whose items have ids, "
                + "or that has an Idempotency-Key, may be sent again whole. With history=true its timestamps may be as old as they like.")
            .Accepts<EventFields[]>("application/json", "application/x-ndjson", "text/plain")
            .Produces<BatchReceipt>()
            .ProducesRefusals(400, 401, 403, 408, 413, 415, 422, 429, 503);

    private static async Task<IResult> Post(HttpRequest request, Intake intake, Limits limits)
    {
        var mediaType = RequestBody.MediaTypeOf(request);
        if (mediaType is not ("application/json" or "text/plain" or "application/x-ndjson"))
            return Refused(Refusal.UnsupportedMediaType("application/json, text/plain or application/x-ndjson"));
        if (ReadKey(request, limits, out var key) is { } refusal) return Refused(refusal);
        if (request.ContentLength > limits.BatchBodyBytesMax) return Refused(Refusal.BatchTooLarge(limits));

        var history = request.Query["history"].ToString();
        if (history is not ("" or "true" or "false")) return Refused(Refusal.UnknownValue("history", "true or false, or left out"));
        var isHistory = history == "true";
        if (isHistory && request.HttpContext.Key() is { MayWriteHistory: false }) return Refused(Refusal.HistoryNotAllowed());

        var body = new BatchBody(request.BodyReader, isArray: mediaType != "application/x-ndjson", limits);
        var done = new BatchProgress(intake, request.HttpContext, key, isHistory);
        while (!body.Ended && done.Open is null)
        {
            await body.WaitForPart(request.HttpContext.RequestAborted);
            await done.Record(body.TakePart);
        }
        if (body.Fault is not null) Intake.Refused(body.Fault);
        return (done.Open ?? body.Fault) is { } fault ? fault with { Batch = done.ToReceipt() }
            : new JsonAnswer<BatchReceipt>(done.ToReceipt(), HttpJson.Default.BatchReceipt);
    }

    // An item's id is the key, a slash and its place, and must not be longer than any id.
    private static Refusal? ReadKey(HttpRequest request, Limits limits, out string? key) =>
        RequestBody.ReadIdempotencyKey(request, out key)
        ?? EventFields.CheckId("Idempotency-Key", key, limits.EventIdCharactersMax - $"/{limits.BatchBodyEventsMax}".Length);

    private static IResult Refused(Refusal refusal) => Intake.Refused(refusal).ToResult();
}
