using System.ComponentModel;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Batches;

/// <summary>POST /api/events/batch: many events in one request.</summary>
internal static class BatchEndpoint
{
    private const string Json = "application/json";
    private const string Lines = "application/x-ndjson";
    private const string Text = "text/plain"; // needs no preflight, as in EventEndpoint

    public static void MapBatches(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/events/batch", Post)
            .RefuseUnknownParameters(KeyAuthentication.QueryName)
            .WithName("PostBatch")
            .WithSummary("Record many events")
            .WithDescription(
                "A JSON array of events, or one JSON object a line. Answers 200 when each is committed and counted "
                + "exactly once, or refused for good; other answers say in batch what was done. A batch whose items "
                + "have ids, "
                + "or that has an Idempotency-Key, may be sent again whole.")
            .Accepts<EventFields[]>(Json, Lines, Text)
            .ProducesRefusals(408, 413, 415);

    private static async Task<Results<JsonAnswer<BatchReceipt>, Refusal>> Post(
        [Description("true: timestamps may be of any age.")] string? history,
        HttpContext context, Ingestion ingestion, Limits limits)
    {
        var request = context.Request;
        var mediaType = RequestBody.MediaTypeOf(request);
        if (mediaType is not (Json or Text or Lines))
            return Refusal.UnsupportedMediaType($"{Json}, {Text} or {Lines}");
        if (ParseKey(request, limits, out var key) is { } refusal) return refusal;
        if (request.ContentLength > limits.BatchBodyBytesMax) return Refusal.BatchTooLarge(limits);
        if (history is not (null or "" or "true" or "false"))
            return Refusal.UnknownValue("history", "true or false, or left out");
        var isHistory = history == "true";
        if (isHistory && context.Key() is { MayWriteHistory: false }) return Refusal.HistoryNotAllowed();

        var body = new BatchBody(request.BodyReader, isArray: mediaType != Lines, limits);
        var progress = new BatchProgress(ingestion, context, key, isHistory)
        {
            CountsOnArrival = mediaType == Text,
        };
        while (!body.Ended && progress.Unfinished is null)
        {
            await body.WaitForPart(context.RequestAborted);
            await progress.Record(body.ParsePart);
        }
        if (body.Fault is not null) TallyMetrics.EventRefused(body.Fault.Reason); // counts as one item
        return (progress.Unfinished ?? body.Fault) is { } fault ? fault with { Batch = progress.ToReceipt() }
            : new JsonAnswer<BatchReceipt>(progress.ToReceipt(), HttpJson.Default.BatchReceipt);
    }

    // An item's id is the key, a slash and its place, and must not be longer than any id.
    private static Refusal? ParseKey(HttpRequest request, Limits limits, out string? key) =>
        IdempotencyKey.Parse(request, out key)
        ?? EventFields.CheckId(
            IdempotencyKey.HeaderName, key, limits.EventIdCharactersMax - $"/{limits.BatchBodyEventsMax}".Length);
}
