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
        routes.MapPost("/api/events", (HttpRequest request) => Post(request, intake, limits))
            .WithName("PostEvent")
            .WithSummary("Record one event")
            .WithDescription("Answers 200 when the event is committed and counted exactly once. A repeat of an id gets the "
                + "first receipt, marked as a duplicate. Without an id, each request is a new event.")
            .Accepts<EventFields>("application/x-www-form-urlencoded", "application/json", "text/plain")
            .Produces<Receipt>()
            .ProducesRefusals(400, 401, 403, 408, 409, 413, 415, 422, 503);
    }

    private static async Task<IResult> Post(HttpRequest request, Intake intake, Limits limits)
    {
        var (fields, refusal) = await EventBody.Read(request, limits);
        var answer = refusal is null ? await intake.Record(fields, request.HttpContext) : Intake.Refused(refusal);
        return answer.ToResult();
    }
}
