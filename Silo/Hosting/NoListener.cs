using System.Net;
using Microsoft.AspNetCore.Connections;

namespace Tally.Silo.Hosting;

/// <summary>In the place of Orleans' sockets, for a silo that no other joins: no port is opened, so nobody can come in by one.</summary>
internal sealed class NoListener : IConnectionListenerFactory
{
    public static void Use(IServiceCollection services)
    {
        // Orleans asks for one by a key of its own for each of its ports.
        foreach (var listener in services.Where(service => service.ServiceType == typeof(IConnectionListenerFactory) && service.IsKeyedService).ToList())
        {
            services.Remove(listener);
            services.AddKeyedSingleton<IConnectionListenerFactory, NoListener>(listener.ServiceKey);
        }
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) => new(new Listener(endpoint));

    private sealed class Listener(EndPoint endpoint) : IConnectionListener
    {
        public EndPoint EndPoint => endpoint;
        public ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default) => new((ConnectionContext?)null);
        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => ValueTask.CompletedTask;
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
