using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Trackers.Ga4;

/// <param name="ValidationMessages">What is wrong; empty if nothing is.</param>
public sealed record Ga4Validation(IReadOnlyList<Ga4Fault> ValidationMessages);

/// <param name="FieldPath">The field at fault, in the protocol's names; empty if it is not one field.</param>
/// <param name="Description">What is wrong, for people.</param>
/// <param name="ValidationCode">The refusal's reason.</param>
public sealed record Ga4Fault(string FieldPath, string Description, string ValidationCode);

/// <summary>
/// Google's Measurement Protocol for GA4: <c>/mp/collect</c>, and <c>/debug/mp/collect</c>, which says what is wrong
/// and records nothing. Google answers 204 to whatever comes; here a refusal is one.
/// </summary>
internal static class Ga4Endpoints
{
    private const string Json = "application/json", Text = "text/plain";

    public static void MapGa4(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/mp/collect", Collect);
        routes.MapPost("/debug/mp/collect", Validate);
    }

    private static async Task<IResult> Collect(HttpContext context, TrackerIntake intake)
    {
        var (body, product, unread) = await Read(context, intake);
        if (body is null) return unread!;
        if (Parse(body, intake.Limits, out var sent) is { } invalid) return invalid;
        var isHistory = TrackerIntake.MayWriteHistory(context);
        var (_, refusal) = await intake.RecordAll(sent, one => one.ToItem(product, isHistory), context);
        return refusal is not null ? refusal : TypedResults.NoContent();
    }

    private static async Task<IResult> Validate(
        HttpContext context, TrackerIntake intake, VisitorFingerprints visitors)
    {
        var (body, product, unread) = await Read(context, intake);
        if (body is null) return unread!;
        if (Parse(body, intake.Limits, out var sent) is { } invalid)
            return Answer([new(invalid.Field ?? "", invalid.Detail, invalid.Reason)]);
        var isHistory = TrackerIntake.MayWriteHistory(context);
        var found = new List<Ga4Fault>();
        foreach (var (index, one) in sent.Index())
        {
            var (fields, refusal) = one.ToItem(product, isHistory);
            if (fields is not null)
            {
                if (await visitors.AddMissing(fields, context.Request) is { } unavailable) return unavailable;
                refusal = fields.ToEvent(intake.Limits, intake.Now, out _)
                    ?? (context.Key()?.Allows(fields.Product!) == false ? Refusal.ProductNotAllowed() : null);
            }
            if (refusal is not null) found.Add(one.ToFault(refusal, index));
        }
        return Answer([.. found.Distinct()]); // a fault of the request is one of each of its events
    }

    private static JsonAnswer<Ga4Validation> Answer(List<Ga4Fault> faults) =>
        new(new(faults), HttpJson.Default.Ga4Validation);

    /// <returns>The body and its events' product, or why the request is refused, whatever is in the body.</returns>
    private static async ValueTask<(byte[]? Body, string? Product, Refusal? Refusal)> Read(
        HttpContext context, TrackerIntake intake)
    {
        if (FormPairs.Parse(context.Request.QueryString, out var query) is { } malformed)
            return (null, null, malformed);
        // A web site's stream, or an app's.
        var stream = query.GetValueOrDefault("measurement_id") ?? query.GetValueOrDefault("firebase_app_id");
        if (TrackerIntake.FindProduct(context, query.GetValueOrDefault("api_secret"), stream, out var product)
            is { } closed) return (null, null, closed);
        var (body, unread) = await intake.ReadBody(context.Request, intake.Limits.BatchBodyBytesMax, Json, Text);
        return (body, product, unread);
    }

    private static Refusal? Parse(byte[] body, Limits limits, out List<Ga4Event> sent)
    {
        sent = [];
        if (TrackerJson.Parse(body, out var json) is { } malformed) return malformed;
        if (json.Member("events") is not { ValueKind: JsonValueKind.Array } events)
            return Refusal.MissingField("events");
        if (events.GetArrayLength() > limits.BatchBodyEventsMax)
            return Refusal.BatchTooLarge(limits) with { Field = "events" };
        sent = [.. events.EnumerateArray().Select(one => new Ga4Event(json, one))];
        return null;
    }
}
