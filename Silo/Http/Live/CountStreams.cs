using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Live;

/// <summary>
/// What is counted, second by second. While anyone reads, the database is asked once a second, for all of this silo's readers;
/// each is told what has changed since it was told before, so what was missed in one second is in the next.
/// </summary>
internal sealed class CountStreams(LiveReaders readers, ILiveCountsStorage storage) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim beginning = new(1);
    private readonly Lock gate = new(); // for what follows
    private readonly Dictionary<LiveReader, string?> reading = []; // and the product that it asks for
    private Dictionary<(string Product, string Action), long>? counts; // as of the last second; null while nobody reads

    /// <param name="context">Whose answer it is.</param>
    /// <param name="product">The only one to tell of; null for all.</param>
    public Task<IResult> Run(HttpContext context, string? product) => readers.Run(context, async reader =>
    {
        try
        {
            await Join(reader, product);
            await reader.Begin();
            await reader.WriteHanded();
            return null;
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.Unavailable();
        }
        finally
        {
            Leave(reader);
        }
    });

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken)) await Tell();
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // the process stops
        }
    }

    // Whoever is the first to read asks; those who come with it wait for that.
    private async Task Join(LiveReader reader, string? product)
    {
        if (TryJoin(reader, product, null)) return;
        await beginning.WaitAsync();
        try
        {
            if (!TryJoin(reader, product, null)) TryJoin(reader, product, await Read());
        }
        finally
        {
            beginning.Release();
        }
    }

    private bool TryJoin(LiveReader reader, string? product, Dictionary<(string Product, string Action), long>? fresh)
    {
        lock (gate)
        {
            counts ??= fresh;
            if (counts is null) return false;
            reading[reader] = product;
            reader.Hand(LiveText.Of(Of(product, counts.Select(pair => new LiveCount(pair.Key.Product, pair.Key.Action, null, pair.Value)), isFirst: true)));
            return true;
        }
    }

    private void Leave(LiveReader reader)
    {
        lock (gate)
            if (reading.Remove(reader) && reading.Count == 0) counts = null;
    }

    private async Task Tell()
    {
        Dictionary<(string Product, string Action), long>? before;
        lock (gate) before = counts;
        if (before is null) return;
        try
        {
            var now = await Read();
            lock (gate)
            {
                if (before != counts) return; // all have left meanwhile, and others began with newer ones
                counts = now;
                TellChanges(before, now);
            }
        }
        catch (EventLogUnavailableException)
        {
            // the next second has it all
        }
    }

    private void TellChanges(Dictionary<(string Product, string Action), long> before, Dictionary<(string Product, string Action), long> now)
    {
        List<LiveCount> changes = [.. now.Select(pair => new LiveCount(
            pair.Key.Product, pair.Key.Action, pair.Value - before.GetValueOrDefault(pair.Key), pair.Value)).Where(change => change.Added != 0)];
        if (changes.Count == 0) return;
        foreach (var asked in reading.ToLookup(pair => pair.Value, pair => pair.Key))
        {
            var told = Of(asked.Key, changes, isFirst: false);
            if (told.Counts.Count == 0) continue;
            var text = LiveText.Of(told);
            foreach (var reader in asked) reader.Hand(text);
        }
    }

    private LiveCounts Of(string? product, IEnumerable<LiveCount> all, bool isFirst)
    {
        List<LiveCount> told = [.. all.Where(count => product is null || count.Product == product)
            .OrderBy(count => count.Product, StringComparer.Ordinal).ThenBy(count => count.Action, StringComparer.Ordinal)];
        var total = counts!.Sum(pair => product is null || pair.Key.Product == product ? pair.Value : 0);
        return new(isFirst ? null : told.Sum(count => count.Added), total, told);
    }

    private async Task<Dictionary<(string, string), long>> Read() =>
        (await storage.ReadCounts()).ToDictionary(count => (count.Product, count.Action), count => count.Events);
}
