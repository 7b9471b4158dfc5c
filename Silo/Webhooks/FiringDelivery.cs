using System.Collections.Concurrent;
using System.Diagnostics;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Webhooks;

/// <summary>
/// Delivers firings, on every silo: it leases what is due, sends it, and notes what became of it. A firing is sent at
/// least once. If a silo dies or the database is away when the answer comes, it is sent again.
/// </summary>
internal sealed partial class FiringDelivery(SqlStorage storage, WebhookSender sender, RuleSecrets secrets,
    IHostApplicationLifetime lifetime, Limits limits, TimeProvider clock, ILogger<FiringDelivery> logger)
    : BackgroundService
{
    // Rows that one transaction parks.
    private const int ParkedMax = 1_000;

    // When the process is told to stop, tries in progress may end for so long.
    private static readonly TimeSpan StopPatience = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan SettleInterval = TimeSpan.FromSeconds(1);

    private readonly RetrySchedule schedule = new(limits);
    private readonly HostTurns turns = new(limits, clock);
    private readonly ConcurrentDictionary<Task, bool> running = [];
    private readonly SemaphoreSlim freed = new(0);
    private readonly LogThrottle throttle = new();
    private readonly TimeSpan tick = TimeSpan.FromMilliseconds(limits.WebhookTickMilliseconds);
    private readonly TimeSpan lease = TimeSpan.FromSeconds(limits.WebhookLeaseSeconds);
    private volatile bool hasWaiting;

    private sealed record Delivery(LeasedFiring Firing, DueRule Rule, WebhookTarget Target);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var stopping =
            CancellationTokenSource.CreateLinkedTokenSource(stoppingToken, lifetime.ApplicationStopping);
        using var sending = new CancellationTokenSource();
        using var patience = stopping.Token.Register(() => sending.CancelAfter(StopPatience));
        try
        {
            while (true)
            {
                var begun = Stopwatch.GetTimestamp();
                // Events come first on the database's processors: it rests as long as it worked.
                if (await TryRound(sending.Token)) await Task.Delay(Stopwatch.GetElapsedTime(begun), stopping.Token);
                else await freed.WaitAsync(tick, stopping.Token);
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            await Task.WhenAll(running.Keys);
        }
    }

    private async Task<bool> TryRound(CancellationToken sending)
    {
        try
        {
            return await Round(sending);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            if (throttle.TryPass(out _)) LogSkipped(exception);
            await Task.Delay(SettleInterval, sending);
            return false;
        }
    }

    /// <returns>Whether there is more to do at once.</returns>
    private async Task<bool> Round(CancellationToken sending)
    {
        var more = false;
        var sendable = new List<(DueRule Rule, WebhookTarget Target)>();
        foreach (var rule in await storage.ReadDueRules())
            if (TargetOf(rule, out var problem) is { } target) sendable.Add((rule, target));
            else more |= await Park(rule, problem);

        var byHost = sendable.ToLookup(one => one.Target.Host);
        var share = turns.Share(byHost.Select(host => host.Key));
        var waiting = share.Count < byHost.Count;
        foreach (var (host, count) in share)
        {
            // By chance, so that no rule of a host is always the last.
            (DueRule Rule, WebhookTarget Target)[] rules = [.. byHost[host]];
            Random.Shared.Shuffle(rules);
            var left = count;
            for (var i = 0; i < rules.Length && left > 0; i++)
            {
                var (rule, target) = rules[i];
                var others = rules.Length - i;
                var (leased, hasMore) = await storage.LeaseFirings(rule, target.Ordered, (left + others - 1) / others,
                    lease);
                foreach (var firing in leased) Begin(new(firing, rule, target), sending);
                left -= leased.Count;
                more |= hasMore;
            }
        }
        hasWaiting = more || waiting;
        return more;
    }

    // The version in force says where the firings of all versions go.
    private static WebhookTarget? TargetOf(DueRule rule, out string problem)
    {
        problem = rule.Target switch
        {
            null => "the rule was removed",
            { IsDisabled: true } => "the receiver answered 410 and wants no more",
            _ => "the rule has no webhook any more",
        };
        return rule.Target is { IsDisabled: false } inForce ? WebhookTarget.Parse(inForce.Definition) : null;
    }

    private async Task<bool> Park(DueRule rule, string problem)
    {
        var parked = await storage.ParkFirings(rule.Rule, problem, ParkedMax);
        TallyMetrics.FiringsParked.Add(parked);
        return parked == ParkedMax;
    }

    private void Begin(Delivery delivery, CancellationToken sending)
    {
        turns.Begin(delivery.Target.Host);
        var task = Task.Run(() => Deliver(delivery, sending), CancellationToken.None);
        running[task] = true;
        task.ContinueWith(ended => running.TryRemove(ended, out _), TaskScheduler.Default);
    }

    private async Task Deliver(Delivery delivery, CancellationToken sending)
    {
        WebhookOutcome? outcome = null;
        try
        {
            outcome = await Send(delivery, sending);
            await Settle(delivery, outcome);
        }
        catch (OperationCanceledException) when (sending.IsCancellationRequested)
        {
            await GiveBack(delivery);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            if (throttle.TryPass(out _)) LogSkipped(exception); // it is sent again when the lease has ended
        }
        catch (Exception exception) // others are to be delivered all the same
        {
            LogFailed(exception);
        }
        finally
        {
            turns.End(delivery.Target.Host, outcome);
            if (hasWaiting && freed.CurrentCount == 0) freed.Release();
        }
    }

    private async Task<WebhookOutcome> Send(Delivery delivery, CancellationToken sending)
    {
        var (firing, rule, target) = delivery;
        var keys = await secrets.Read(rule.Name);
        if (keys.Count == 0) return new(null, "the rule has no secret: make one", null, TimeSpan.Zero);
        var cause = await storage.ReadFiringEvent(firing);
        var id = FiringId.Create(rule.Name, rule.Version, firing.Fingerprint, firing.Sequence);
        var body = FiringPayload.Create(id, rule.Name, rule.Version, firing.Fingerprint, firing.Sequence,
            firing.Occurred, cause, clock.GetUtcNow().UtcDateTime);
        return await sender.Send(target.Url, id, body, keys, sending);
    }

    // What the receiver has said is worth several tries, as long as nobody else may have the firing.
    private async Task Settle(Delivery delivery, WebhookOutcome outcome)
    {
        if (!outcome.IsDelivered)
        {
            TallyMetrics.FiringTriesFailed.Add(1);
            if (turns.MayLog(delivery.Target.Host, out var held))
                LogTryFailed(delivery.Target.Url.IdnHost, outcome.Problem!, held);
        }
        for (var begun = Stopwatch.GetTimestamp(); ;)
        {
            try
            {
                await Note(delivery, outcome);
                return;
            }
            catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException
                && Stopwatch.GetElapsedTime(begun) + outcome.Time + SettleInterval < lease
                && !lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await Task.Delay(SettleInterval);
            }
        }
    }

    private async Task Note(Delivery delivery, WebhookOutcome outcome)
    {
        var (firing, rule, target) = delivery;
        if (outcome.IsGone) await storage.DisableRule(rule.Target!.Id);
        if (!outcome.IsDelivered && !outcome.IsGone
            && schedule.After(firing.Attempts + 1, outcome.RetryAfter, Random.Shared.NextDouble()) is { } delay)
        {
            await storage.RetryFiring(firing, delay, outcome.Status, outcome.Problem!);
            return;
        }
        if (await storage.EndFiring(firing, rule, target.Ordered, outcome.Status, outcome.Problem))
            (outcome.IsDelivered ? TallyMetrics.FiringsDelivered : TallyMetrics.FiringsParked).Add(1);
    }

    private async Task GiveBack(Delivery delivery)
    {
        try
        {
            await storage.ReleaseFiring(delivery.Firing);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or CommitUnknownException)
        {
            // it comes back when the lease has ended
        }
    }

    [LoggerMessage(LogLevel.Warning, "Webhooks to {Host} fail: {Problem} ({Held} such lines held back)")]
    private partial void LogTryFailed(string host, string problem, long held);

    [LoggerMessage(LogLevel.Warning, "Firings were not delivered this time")]
    private partial void LogSkipped(Exception exception);

    [LoggerMessage(LogLevel.Error, "A firing was not delivered this time")]
    private partial void LogFailed(Exception exception);
}
