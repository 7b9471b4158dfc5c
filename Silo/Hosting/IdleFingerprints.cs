using Tally.Grains;

namespace Tally.Silo.Hosting;

/// <summary>
/// Ends the fingerprints that have no activation and that nobody asked for in a while. The others are Orleans' to
/// collect.
/// </summary>
internal sealed class IdleFingerprints(ResidentFingerprints residents) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(residents.CollectionAge / 4);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) residents.EndIdle();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }
}
