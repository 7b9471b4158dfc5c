using System.Threading.RateLimiting;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http;

/// <summary>
/// Limits how many queries run at once, and how long, so that connections and processors are left for events. Others
/// wait in a bounded queue; beyond it, 503.
/// </summary>
/// <remarks>
/// While a query runs, <see cref="HttpContext.RequestAborted"/> also ends when its time is up: a handler passes that
/// token to the database and waits until the query has stopped. The lease ends before the answer is sent, which takes
/// as long as the client reads. A policy of ASP.NET's rate limiter would hold it until then.
/// </remarks>
internal sealed class QueryLimiter(int queriesMax, Limits limits) : IEndpointFilter
{
    private readonly ConcurrencyLimiter limiter =
        new(new() { PermitLimit = queriesMax, QueueLimit = limits.QuestionsWaitingMax });

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var aborted = context.HttpContext.RequestAborted;
        try
        {
            using var lease = await limiter.AcquireAsync(1, aborted);
            return lease.IsAcquired ? await RunInTime(context, next, aborted) : Refusal.TooManyQuestions();
        }
        catch (OperationCanceledException) when (aborted.IsCancellationRequested)
        {
            return Refusal.QuestionNotAnswered(); // nobody reads it
        }
    }

    private async ValueTask<object?> RunInTime(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next, CancellationToken aborted)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(aborted);
        ended.CancelAfter(TimeSpan.FromSeconds(limits.QuestionSecondsMax));
        context.HttpContext.RequestAborted = ended.Token;
        try
        {
            return await next(context);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
            return NotAnswered(context.HttpContext);
        }
        catch (Exception exception)
            when (exception is EventLogUnavailableException or CommitUnknownException or TimeoutException)
        {
            return NotAnswered(context.HttpContext);
        }
        finally
        {
            context.HttpContext.RequestAborted = aborted; // the answer has no time limit
        }
    }

    private static Refusal NotAnswered(HttpContext context) =>
        HttpMethods.IsGet(context.Request.Method) || HttpMethods.IsHead(context.Request.Method)
            ? Refusal.QuestionNotAnswered() : Refusal.ChangeOpen();
}
