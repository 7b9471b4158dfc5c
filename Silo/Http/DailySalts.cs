using System.Security.Cryptography;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>
/// The salt of the current day, the same on every silo. It is overwritten by the next day's, at the first event of
/// that day or within a minute of midnight.
/// </summary>
internal sealed partial class DailySalts(
    VisitorSettings settings, SqlStorage storage, TimeProvider clock, ILogger<DailySalts> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private DailySalt? current;
    private Task<DailySalt>? taking;

    /// <exception cref="EventLogUnavailableException">The database does not answer.</exception>
    public async ValueTask<byte[]> Current()
    {
        var today = storage.Calendar.DayOf(clock.GetUtcNow().UtcDateTime);
        // A later day comes from a silo whose clock is ahead: the salt of the day before is gone for all silos.
        if (current is { } known && known.Day >= today) return known.Salt;
        Task<DailySalt> take;
        lock (gate)
        {
            if (taking is null or { IsCompleted: true })
                taking = storage.TakeSalt(new(today, RandomNumberGenerator.GetBytes(32)));
            take = taking;
        }
        return (current = await take).Salt;
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                if (await TryUpdate() && settings.Fingerprints == FingerprintSource.Client) return;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task<bool> TryUpdate()
    {
        try
        {
            // The flag may have been removed: a salt that nobody uses is not kept.
            await (settings.Fingerprints == FingerprintSource.Server ? Current().AsTask() : storage.DestroySalt());
            return true;
        }
        catch (EventLogUnavailableException exception)
        {
            LogFailed(exception);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning,
        "The salt of the day could not be taken from the database; the next try is in a minute")]
    private partial void LogFailed(Exception exception);
}
