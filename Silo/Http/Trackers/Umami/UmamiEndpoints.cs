using System.Text.Json;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.Umami;

/// <param name="Cache">What the script sends back as <c>x-umami-cache</c>: the fingerprint, of which nothing is read.
/// </param>
/// <param name="SessionId">The fingerprint.</param>
/// <param name="VisitId">The fingerprint: visits are computed when they are asked for.</param>
public sealed record UmamiAnswer(string Cache, string SessionId, string VisitId);

/// <param name="Size">Messages sent.</param>
/// <param name="Processed">Messages recorded.</param>
/// <param name="Errors">Messages refused.</param>
/// <param name="Details">Those, by their place, and why.</param>
public sealed record UmamiBatchAnswer(int Size, int Processed, int Errors, IReadOnlyList<UmamiFault> Details);

public sealed record UmamiFault(int Index, RefusedItem Response);

/// <summary>Umami's <c>POST /api/send</c>, as its script and its SDK for node use it, and <c>/api/batch</c>.</summary>
internal static class UmamiEndpoints
{
    public static void MapUmami(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/api/send", Send);
        routes.MapPost("/api/batch", SendBatch);
    }

    private static async Task<IResult> Send(HttpContext context, TrackerIntake intake)
    {
        var (json, unread) = await intake.ReadJson(context.Request, intake.Limits.EventBodyBytesMax);
        if (unread is not null) return unread;
        if (TrackerIntake.FindProduct(context, null, null, out var product) is { } closed) return closed;
        var (fields, invalid) = UmamiMessage.Parse(json, product, TrackerIntake.MayWriteHistory(context));
        if (fields is null) return invalid!;
        if (await intake.Record(fields, context) is { } refused) return refused;
        var visitor = fields.Fingerprint!;
        return new JsonAnswer<UmamiAnswer>(new(visitor, visitor, visitor), HttpJson.Default.UmamiAnswer);
    }

    // Umami, too, answers 200 to a batch with faulty messages, and names them.
    private static async Task<IResult> SendBatch(HttpContext context, TrackerIntake intake)
    {
        var (json, unread) = await intake.ReadJson(context.Request, intake.Limits.BatchBodyBytesMax);
        if (unread is not null) return unread;
        if (TrackerIntake.FindProduct(context, null, null, out var product) is { } closed) return closed;
        if (json.ValueKind != JsonValueKind.Array) return Refusal.MalformedBody("The body is not a JSON array.");
        var isHistory = TrackerIntake.MayWriteHistory(context);
        var (receipt, refusal) = await intake.RecordAll([.. json.EnumerateArray()],
            message => UmamiMessage.Parse(message, product, isHistory), context);
        if (refusal is { Status: not StatusCodes.Status400BadRequest }) return refusal;
        return new JsonAnswer<UmamiBatchAnswer>(
            new(receipt.Handled, receipt.Recorded, receipt.Refused.Count,
                [.. receipt.Refused.Select(one => new UmamiFault(one.Index, one))]),
            HttpJson.Default.UmamiBatchAnswer);
    }
}
