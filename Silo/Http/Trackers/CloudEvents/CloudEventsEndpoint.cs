using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>POST /api/cloudevents: the HTTP binding of CloudEvents 1.0, in its three content modes.</summary>
internal static class CloudEventsEndpoint
{
    private const string Format = "application/cloudevents";
    private const string Structured = Format + "+json";
    private const string Batch = Format + "-batch+json";

    public static void MapCloudEvents(this IEndpointRouteBuilder routes) => routes.MapPost("/api/cloudevents", Post);

    private static async Task<IResult> Post(HttpContext context, TrackerIntake intake, Ingestion ingestion)
    {
        var (request, limits) = (context.Request, intake.Limits);
        var mediaType = RequestBody.MediaTypeOf(request);
        var isBinary = mediaType?.StartsWith(Format, StringComparison.Ordinal) != true
            && BinaryCloudEvent.IsIn(request.Headers);
        if (!isBinary && mediaType is not (Structured or Batch)) return Unsupported();
        var bytesMax = mediaType == Batch ? limits.BatchBodyBytesMax : limits.EventBodyBytesMax;
        var (body, unread) = await intake.ReadBody(request, bytesMax, mediaType ?? "");
        if (body is null) return unread!;
        if (mediaType == Batch) return await Record(body, context, intake);

        var refusal = isBinary ? BinaryCloudEvent.Parse(request, body, out var parsed)
            : StructuredCloudEvent.Parse(body, out parsed);
        var item = refusal is null ? parsed!.ToItem(context, limits) : new(null, refusal);
        return item.Fields is { } fields ? (await ingestion.Record(fields, context)).ToResult() : item.Refusal!;
    }

    private static async Task<IResult> Record(byte[] batch, HttpContext context, TrackerIntake intake)
    {
        var limits = intake.Limits;
        var (items, tooMany) = JsonItems.Find(batch, .., limits.BatchBodyEventsMax);
        if (items is null)
            return tooMany ? Refusal.BatchTooLarge(limits) : Refusal.MalformedBody("A batch is one JSON array.");
        var (receipt, refusal) = await intake.RecordAll(items, Parse, context);
        return refusal is not null ? refusal : new JsonAnswer<BatchReceipt>(receipt, HttpJson.Default.BatchReceipt);

        BatchItem Parse(Range place)
        {
            var json = batch.AsSpan(place);
            if (json.Length > limits.EventBodyBytesMax)
                return new(null, Refusal.EventTooLarge(limits.EventBodyBytesMax));
            return StructuredCloudEvent.Parse(json, out var parsed) is { } refused ? new(null, refused)
                : parsed!.ToItem(context, limits);
        }
    }

    private static Refusal Unsupported() => Refusal.UnsupportedMediaType(
        $"{Structured}, {Batch}, or anything with the attributes in headers that begin with ce-");
}
