using Tally.Contracts;

namespace Tally.Silo.Hosting;

/// <summary>
/// Between "not ready" and "not listening" every request is still answered, with <c>Connection: close</c>. Kestrel
/// alone closes idle connections at once: a request that a client sends at that moment would get no reply.
/// </summary>
internal sealed class Draining(Limits limits) : IHostedLifecycleService
{
    // The host calls this before it stops any service, Kestrel included. Readiness already fails by then.
    public Task StoppingAsync(CancellationToken cancellationToken) =>
        Task.Delay(limits.DrainMilliseconds, cancellationToken);

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
