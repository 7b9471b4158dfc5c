using System.Collections.Concurrent;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>
/// Limits the pairs of product and action of the whole service, since each may cost the rollups a row a minute. Every
/// silo knows the pairs that it admitted itself, and those of other silos some seconds later. So the limit is not
/// exact; memory and rollups are bounded all the same.
/// </summary>
internal sealed class ServiceCounters(SqlStorage storage, Limits limits) : BackgroundService
{
    // The interval of the merge, which writes what this reads.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Product, string Action), bool> known = new();
    private int count;
    private long readId;

    /// <summary>False if an event's pair is new and the limit is reached.</summary>
    public bool Admit(string product, string action)
    {
        if (known.ContainsKey((product, action))) return true;
        if (Volatile.Read(ref count) >= limits.ServiceCountersMax) return false;
        Add(product, action);
        return true;
    }

    // Read before the service starts: known pairs must never be refused.
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Load();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await Load();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    private async Task Load()
    {
        try
        {
            foreach (var (id, product, action) in await storage.ReadCounters(readId))
            {
                Add(product, action);
                readId = id;
            }
        }
        catch (EventLogUnavailableException)
        {
            // retried at the next interval; the event log reports the fault
        }
    }

    private void Add(string product, string action)
    {
        if (known.TryAdd((product, action), true)) Interlocked.Increment(ref count);
    }
}
