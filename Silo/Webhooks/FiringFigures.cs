using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Webhooks;

/// <summary>Asks the database now and then what is still to be delivered, for the metrics.</summary>
internal sealed class FiringFigures(SqlStorage storage, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(10);

    private volatile Figures known = new(0, null);

    private sealed record Figures(long Pending, DateTime? Oldest);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TallyMetrics.ObserveFirings(() => known.Pending, () => known.Oldest is { } oldest
            ? Math.Max(0, (clock.GetUtcNow().UtcDateTime - oldest).TotalSeconds) : 0);
        using var timer = new PeriodicTimer(Interval);
        try
        {
            do await Read();
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task Read()
    {
        try
        {
            var (count, oldest) = await storage.ReadPendingFirings();
            known = new(count, oldest);
        }
        catch (EventLogUnavailableException)
        {
            // asked again at the next interval; the event log reports the fault
        }
    }
}
