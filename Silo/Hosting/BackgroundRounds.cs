using System.Diagnostics;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Silo.Hosting;

/// <summary>
/// Background work on the database, once a second. Nothing waits for it, and a failed round only leaves more to the
/// next.
/// </summary>
internal abstract class BackgroundRounds : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly LogThrottle throttle = new();

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await TryRound(stoppingToken);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task TryRound(CancellationToken stopping)
    {
        try
        {
            await Round(stopping);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            if (throttle.TryPass(out _)) LogSkipped(exception);
        }
    }

    protected abstract Task Round(CancellationToken stopping);

    protected abstract void LogSkipped(Exception exception);

    // Rests between two steps for as long as one took: events come first on the database's processors.
    protected static async Task InSteps(Func<int, Task<int>> step, int limit, CancellationToken stopping)
    {
        for (var begun = Stopwatch.GetTimestamp(); await step(limit) == limit; begun = Stopwatch.GetTimestamp())
            await Task.Delay(Stopwatch.GetElapsedTime(begun), stopping);
    }
}
