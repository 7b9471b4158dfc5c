using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>Events come in.</summary>
internal static class EventEndpoints
{
    public static void MapEvents(this IEndpointRouteBuilder routes)
    {
        // Once and not by each request, which would open a scope for it.
        var intake = routes.ServiceProvider.GetRequiredService<Intake>();
        var limits = routes.ServiceProvider.GetRequiredService<Limits>();
        var room = routes.ServiceProvider.GetRequiredService<BodyRoom>();
        // As a delegate that writes its own answer, which costs the framework nothing to call.
        routes.MapPost("/api/events", (Delegate)((HttpContext context) => Post(context, intake, limits, room)))
            .WithName("PostEvent")
            .WithSummary("Record one event")
            .WithDescription("Answers 200 when the event is committed and counted exactly once. A repeat of an id gets the "
                + "first receipt, marked as a duplicate. Without an id, each request is a new event.")
            .Accepts<EventFields>("application/x-www-form-urlencoded", "multipart/form-data", "application/json", "text/plain")
            .Produces<Receipt>()
            .ProducesRefusals(400, 401, 403, 408, 409, 413, 415, 422, 503);
    }

    private static async Task Post(HttpContext context, Intake intake, Limits limits, BodyRoom room)
    {
        var (fields, refusal) = await EventBody.Read(context.Request, limits, room);
        var answer = refusal is null ? await intake.Record(fields, context) : Intake.Refused(refusal);
        await answer.ToResult().ExecuteAsync(context);
    }
}
