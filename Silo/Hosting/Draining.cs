using Tally.Contracts;

namespace Tally.Silo.Hosting;

/// <summary>
/// Between "not ready" and "not listening": everything is still answered, each time with <c>Connection: close</c>.
/// Kestrel alone would close idle connections at once, and a request that a client sends into one at that moment
/// would end without a reply.
/// </summary>
internal sealed class Draining(Limits limits) : IHostedLifecycleService
{
    // The host calls this before it stops any service, Kestrel included; readiness has failed by then.
    public Task StoppingAsync(CancellationToken cancellationToken) => Task.Delay(limits.DrainMilliseconds, cancellationToken);

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}

internal static class DrainingExtensions
{
    public static void UseDraining(this WebApplication app)
    {
        var stopping = app.Lifetime.ApplicationStopping;
        app.Use((context, next) =>
        {
            if (stopping.IsCancellationRequested) context.Response.Headers.Connection = "close";
            return next(context);
        });
    }
}
