using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Tally.Silo.Hosting;

/// <summary>Replaces Orleans' sockets in a silo that no other joins, so that it opens no port.</summary>
internal sealed class NoListener : IConnectionListenerFactory
{
    public static void Use(IServiceCollection services)
    {
        // Orleans registers one for each of its ports, under a key of its own.
        foreach (var listener in services.Where(service =>
            service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService).ToList())
        {
            services.Remove(listener);
            services.AddKeyedSingleton<IConnectionListenerFactory, NoListener>(listener.ServiceKey);
        }
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new(new Listener(endpoint));

    private sealed class Listener(EndPoint endpoint) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;
        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) =>
            new((ConnectionContext?)null);
        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
