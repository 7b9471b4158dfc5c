using System.Collections.Concurrent;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>
/// The pairs of product and action that the service has, of which each minute may cost the rollups a row. Every silo
/// refuses new ones by what it knows: the pairs that it has let in, and those of the others some seconds later. So
/// the limit is not exact, and what it bounds is.
/// </summary>
internal sealed class ServiceCounters(SqlStorage storage, Limits limits) : BackgroundService
{
    // As often as the merge, which writes what this reads.
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<(string Product, string Action), bool> known = new();
    private int count;
    private long readId;

    /// <summary>False where an event would begin one pair too many.</summary>
    public bool Admit(string product, string action)
    {
        if (known.ContainsKey((product, action))) return true;
        if (Volatile.Read(ref count) >= limits.ServiceCountersMax) return false;
        Add(product, action);
        return true;
    }

    // The first reading is part of the start: what is recorded must not be refused for a while.
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        await Read();
        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await Read();
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
            foreach (var (id, product, action) in await storage.ReadCounters(readId))
            {
                Add(product, action);
                readId = id;
            }
        }
        catch (EventLogUnavailableException)
        {
            // the next time; the log's own lines say that the database is away
        }
    }

    private void Add(string product, string action)
    {
        if (known.TryAdd((product, action), true)) Interlocked.Increment(ref count);
    }
}
