using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Peers;

namespace Tally.Silo.Hosting;

/// <summary>
/// Starts the event log before any grain can activate, and stops it after the last one has deactivated. A hosted
/// service would stop before the silo, whatever the order of registration.
/// </summary>
internal sealed class EventLogLifecycle(GroupCommit log, HistoryLoader loader, Peers peers)
    : ILifecycleParticipant<ISiloLifecycle>
{
    public void Participate(ISiloLifecycle lifecycle) =>
        lifecycle.Subscribe(nameof(EventLogLifecycle), ServiceLifecycleStage.RuntimeInitialize, Start, Stop);

    private Task Start(CancellationToken cancellation)
    {
        log.Start();
        loader.Start();
        TallyMetrics.Observe(log, loader, peers);
        return Task.CompletedTask;
    }

    private async Task Stop(CancellationToken cancellation)
    {
        await loader.Close();
        // A commit waits for a synchronous standby as long as it is away. Nobody was told that it is recorded.
        await log.Close().WaitAsync(cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }
}
