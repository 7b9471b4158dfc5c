using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http;

/// <summary>Events come in.</summary>
internal static class EventEndpoints
{
    public static void MapEvents(this IEndpointRouteBuilder routes) =>
        routes.MapPost("/api/events", Post)
            .WithName("PostEvent")
            .WithSummary("Record one event")
            .WithDescription("Answers 200 when the event is committed and counted exactly once. A repeat of an id gets the "
                + "first receipt, marked as a duplicate. Without an id, each request is a new event.")
            .Accepts<EventFields>("application/x-www-form-urlencoded", "application/json")
            .Produces<Receipt>()
            .ProducesRefusals(400, 401, 403, 408, 409, 413, 415, 422, 503);

    private static async Task<IResult> Post(HttpRequest request, FrontEnd frontEnd, Limits limits, TimeProvider clock)
    {
        var (fields, refusal) = await EventBody.Read(request, limits);
        refusal ??= request.HttpContext.Key()?.Refuses(fields.Product!);
        if (refusal is not null) return Refused(refusal);

        var now = clock.GetUtcNow();
        var id = fields.Id is null ? EventIds.Create(now) : EventIds.FromClient(fields.Id);
        // Whole microseconds: what both databases keep, so that memory and log never differ.
        var created = new DateTime(now.UtcTicks - now.UtcTicks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
        var result = await frontEnd.Record(fields.Fingerprint!, new(id, fields.Action!, fields.Product!, created, created, null));

        // Of an id made here no other request knows: what looks like a repeat is the front end's own second try.
        var isRepeat = result.Outcome == RecordOutcome.Duplicate && fields.Id is not null;
        var named = fields.Id ?? id.ToString();
        if (result.Outcome is RecordOutcome.Recorded or RecordOutcome.Duplicate)
        {
            (isRepeat ? TallyMetrics.EventsRepeated : TallyMetrics.EventsAccepted).Add(1);
            return new JsonAnswer<Receipt>(new(named, fields.Fingerprint!, result.Sequence, isRepeat), HttpJson.Default.Receipt);
        }
        return Refused(result.Outcome switch
        {
            RecordOutcome.IdConflict => Refusal.IdConflict(),
            RecordOutcome.TooManyCounters => Refusal.TooManyCounters(limits.CountersMax),
            RecordOutcome.Overloaded => Refusal.Overloaded(named),
            _ => Refusal.Unavailable(named),
        });
    }

    private static Refusal Refused(Refusal refusal)
    {
        TallyMetrics.EventRefused(refusal.Reason);
        return refusal;
    }
}
