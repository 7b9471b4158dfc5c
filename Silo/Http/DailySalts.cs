using System.Security.Cryptography;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>
/// The salt of the current UTC day, the same on every silo. It is destroyed when the next day's is made: at the first
/// event or within a minute of midnight, whichever comes first.
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
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        // A day ahead of this clock is another silo's, whose midnight came first: the day before it is gone for all.
        if (current is { } known && known.Day >= today) return known.Salt;
        Task<DailySalt> take;
        lock (gate)
        {
            if (taking is null or { IsCompleted: true }) taking = storage.TakeSalt(new(today, RandomNumberGenerator.GetBytes(32)));
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
                if (await TryKeepUp() && settings.Fingerprints == FingerprintSource.Client) return;
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task<bool> TryKeepUp()
    {
        try
        {
            // The flag may have been taken back: a salt that nobody uses is not kept.
            await (settings.Fingerprints == FingerprintSource.Server ? Current().AsTask() : storage.DestroySalt());
            return true;
        }
        catch (EventLogUnavailableException exception)
        {
            LogLate(exception);
            return false;
        }
    }

    [LoggerMessage(LogLevel.Warning, "The salt of the day could not be taken from the database; the next try is in a minute")]
    private partial void LogLate(Exception exception);
}
