using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// Questions that read many rows take turns, so that however many are asked at once, the database's connections and
/// processors are there for events. Those that wait are bounded too; beyond, 503.
/// </summary>
internal sealed class QuestionTurns(Limits limits) : IDisposable
{
    private readonly ConcurrencyLimiter turns = new(new() { PermitLimit = limits.QuestionsMax, QueueLimit = limits.QuestionsWaitingMax });

    public async ValueTask<object?> Take(EndpointFilterInvocationContext context, EndpointFilterDelegate ask)
    {
        using var turn = await turns.AcquireAsync(1, context.HttpContext.RequestAborted);
        return turn.IsAcquired ? await ask(context) : Refusal.TooManyQuestions();
    }

    public void Dispose() => turns.Dispose();
}

internal static class QuestionTurnsOfRoutes
{
    /// <summary>For an endpoint that answers from the database, and reads more than a page of one fingerprint.</summary>
    public static RouteHandlerBuilder TakesTurns(this RouteHandlerBuilder route) => route.AddEndpointFilter(
        (context, ask) => context.HttpContext.RequestServices.GetRequiredService<QuestionTurns>().Take(context, ask));
}
