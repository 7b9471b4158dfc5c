using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.Hosting;

/// <summary>
/// Removes old events, and fingerprints not seen for a long time: in small steps, at a limited rate, one silo at a
/// time. Each step is final, so when a silo dies, the next one's pass does the rest.
/// </summary>
internal sealed partial class Retention(
    RetentionSettings settings, SqlStorage storage, IGrainFactory grains, Limits limits, TimeProvider clock,
    IHostApplicationLifetime lifetime, ILogger<Retention> logger) : BackgroundService
{
    private readonly Pace steps = new(limits.PruneStepsPerSecondMax, clock);
    private readonly Pace erasures = new(limits.ForgottenPerSecondMax, clock);
    private long pruned, forgotten;

    // No more than the events that one step may remove: each fingerprint has at least one.
    private int StepFingerprintsMax => Math.Min(limits.PruneFingerprintsMax, limits.PruneEventsMax);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (settings is { Retention: null, ForgetAfter: null }) return;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var starting = lifetime.ApplicationStarted.Register(started.SetResult);
        IAsyncDisposable? lead = null;
        try
        {
            // grains answer once the silo runs, which starts after this service
            await started.Task.WaitAsync(stoppingToken);
            while (true)
            {
                try
                {
                    if ((lead ??= await storage.TryLead()) is not null) await Pass(stoppingToken);
                }
                catch (Exception exception)
                    when (exception is EventLogUnavailableException or CommitUnknownException or OrleansException
                        or TimeoutException)
                {
                    LogSkipped(exception);
                    if (lead is not null) await lead.DisposeAsync(); // its connection may be lost
                    lead = null;
                }
                await Task.Delay(TimeSpan.FromSeconds(limits.PrunePauseSeconds), clock, stoppingToken);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
        finally
        {
            if (lead is not null) await lead.DisposeAsync();
        }
    }

    private async Task Pass(CancellationToken stopping)
    {
        (pruned, forgotten) = (0, 0);
        var now = clock.GetUtcNow().UtcDateTime;
        for (string? after = ""; after is not null;)
        {
            await steps.Wait(cancellation: stopping);
            var ages = await storage.ReadAges(after, StepFingerprintsMax);
            if (settings.ForgetAfter is { } forgetAfter)
                await Forget(ages.Where(one => one.NewestOccurred < now - forgetAfter).Select(one => one.Fingerprint),
                    now - forgetAfter, stopping);
            if (settings.Retention is { } retention)
                await Prune([.. ages.Where(one => one.OldestCreated < now - retention).Select(one => one.Fingerprint)],
                    now - retention, stopping);
            after = ages.Count == StepFingerprintsMax ? ages[^1].Fingerprint : null;
        }
        if (settings.ForgetAfter is { } age) await ForgetPrunedWhole(now - age, stopping);
        if (pruned + forgotten > 0) LogPass(pruned, forgotten);
    }

    // As many steps as the longest of these histories needs.
    private async Task Prune(IReadOnlyList<string> fingerprints, DateTime before, CancellationToken stopping)
    {
        if (fingerprints.Count == 0) return;
        var eventsEach = limits.PruneEventsMax / fingerprints.Count;
        while (await storage.Prune(fingerprints, before, eventsEach) is var step)
        {
            pruned += step?.Events ?? 0;
            // null gave way to another transaction: the next pass tries again
            if (step is not { HasMore: true }) return;
            await steps.Wait(cancellation: stopping);
        }
    }

    private async Task ForgetPrunedWhole(DateTime before, CancellationToken stopping)
    {
        for (string? after = ""; after is not null;)
        {
            await steps.Wait(cancellation: stopping);
            var some = await storage.ReadFullyPruned(after, limits.PruneFingerprintsMax);
            await Forget(some, before, stopping);
            after = some.Count == limits.PruneFingerprintsMax ? some[^1] : null;
        }
    }

    // Through the grain: only it knows whether the fingerprint is in use at this moment.
    private async Task Forget(IEnumerable<string> fingerprints, DateTime before, CancellationToken stopping)
    {
        foreach (var fingerprint in fingerprints)
        {
            await erasures.Wait(cancellation: stopping);
            var result = await grains.GetGrain<IFingerprintGrain>(FingerprintKey.For(fingerprint)).Forget(before);
            if (result.Outcome == EraseOutcome.Erased) forgotten++;
        }
    }

    [LoggerMessage(LogLevel.Information, "Retention removed {Events} old events and {Fingerprints} fingerprints whole")]
    private partial void LogPass(long events, long fingerprints);

    [LoggerMessage(LogLevel.Warning, "Retention was interrupted; it continues later")]
    private partial void LogSkipped(Exception exception);
}
