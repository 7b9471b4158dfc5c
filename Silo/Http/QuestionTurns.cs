using System.Threading.RateLimiting;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>
/// Questions that read many rows take turns, so that however many are asked at once, the database's connections and
/// processors are there for events. Those that wait are bounded too; beyond, 503.
/// </summary>
/// <remarks>
/// A turn ends with its question: while one is asked, <see cref="HttpContext.RequestAborted"/> also says that its time is up, and
/// whoever asks the database passes it on and waits until it has stopped.
/// </remarks>
internal sealed class QuestionTurns(Limits limits) : IDisposable
{
    private readonly ConcurrencyLimiter turns = Turns(limits.QuestionsMax, limits);
    private readonly ConcurrencyLimiter pages = Turns(limits.PagesMax, limits);

    public ValueTask<object?> Take(EndpointFilterInvocationContext context, EndpointFilterDelegate ask) => Take(turns, context, ask);

    /// <summary>For a page of one fingerprint, which does not wait for questions that take long.</summary>
    public ValueTask<object?> TakeForPage(EndpointFilterInvocationContext context, EndpointFilterDelegate ask) => Take(pages, context, ask);

    private static ConcurrencyLimiter Turns(int max, Limits limits) => new(new() { PermitLimit = max, QueueLimit = limits.QuestionsWaitingMax });

    private async ValueTask<object?> Take(ConcurrencyLimiter limiter, EndpointFilterInvocationContext context, EndpointFilterDelegate ask)
    {
        var gone = context.HttpContext.RequestAborted;
        try
        {
            using var turn = await limiter.AcquireAsync(1, gone);
            return turn.IsAcquired ? await AskInTime(context, ask, gone) : Refusal.TooManyQuestions();
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested)
        {
            return Refusal.QuestionNotAnswered(); // nobody reads it
        }
    }

    private async ValueTask<object?> AskInTime(EndpointFilterInvocationContext context, EndpointFilterDelegate ask, CancellationToken gone)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(gone);
        ended.CancelAfter(TimeSpan.FromSeconds(limits.QuestionSecondsMax));
        context.HttpContext.RequestAborted = ended.Token;
        try
        {
            return await ask(context);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return Refusal.QuestionNotAnswered();
        }
        finally
        {
            context.HttpContext.RequestAborted = gone; // the answer takes as long as its client reads
        }
    }

    public void Dispose()
    {
        turns.Dispose();
        pages.Dispose();
    }
}

internal static class QuestionTurnsOfRoutes
{
    /// <summary>For an endpoint that answers from the database, and reads more than a page of one fingerprint.</summary>
    public static RouteHandlerBuilder TakesTurns(this RouteHandlerBuilder route) => route.AddEndpointFilter(
        (context, ask) => context.HttpContext.RequestServices.GetRequiredService<QuestionTurns>().Take(context, ask));

    /// <summary>For an endpoint that reads pages of one fingerprint.</summary>
    public static RouteHandlerBuilder TakesTurnsForPages(this RouteHandlerBuilder route) => route.AddEndpointFilter(
        (context, ask) => context.HttpContext.RequestServices.GetRequiredService<QuestionTurns>().TakeForPage(context, ask));
}
