using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tally.Client;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Tally's client in a host.</summary>
public static class TallyServiceCollectionExtensions
{
    /// <summary>
    /// Adds a <see cref="TallyClient"/> for the whole program. It begins to send when the host starts, and sends what
    /// waits when all of the host's services have stopped, within the host's shutdown timeout.
    /// </summary>
    /// <param name="configure">Sets the options. Wrong ones end the host's start.</param>
    public static IServiceCollection AddTally(this IServiceCollection services, Action<TallyOptions> configure)
    {
        ArgumentNullException.ThrowIfNull(services);
        ArgumentNullException.ThrowIfNull(configure);
        services.Configure(configure);
        services.TryAddSingleton(all => new TallyClient(all.GetRequiredService<IOptions<TallyOptions>>().Value,
            all.GetService<ILogger<TallyClient>>(), all.GetService<TimeProvider>()));
        services.AddHostedService<TallyService>();
        return services;
    }

    /// <summary>
    /// Starts the client with the host, and stops it after all other services, which may still track.
    /// </summary>
    private sealed class TallyService(TallyClient client) : IHostedLifecycleService
    {
        public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
        public Task StoppedAsync(CancellationToken cancellationToken) => client.StopAsync(cancellationToken);
    }
}
