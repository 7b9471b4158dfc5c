using Tally.Contracts;

namespace Tally.Silo.Pages;

/// <summary>
/// What may fail alone ends before the request's own time is up, so that the rest of the page is still shown.
/// </summary>
internal sealed class TimeForParts : IDisposable
{
    private readonly HttpContext context;
    private readonly CancellationToken whole;
    private readonly CancellationTokenSource ended;

    public TimeForParts(HttpContext context, Limits limits)
    {
        (this.context, whole) = (context, context.RequestAborted);
        ended = CancellationTokenSource.CreateLinkedTokenSource(whole);
        ended.CancelAfter(TimeSpan.FromSeconds(limits.QuestionSecondsMax * 0.8));
        context.RequestAborted = ended.Token;
    }

    public void Dispose()
    {
        context.RequestAborted = whole;
        ended.Dispose();
    }
}
