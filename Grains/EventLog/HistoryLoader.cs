using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <param name="Events">Oldest first.</param>
/// <param name="Remains">Where there are none: what is left.</param>
/// <param name="RemovalEpoch">Erasures and prunings before the moment as of which they were read.</param>
/// <param name="SomeAreSuppressed">Some fingerprint is, any.</param>
public sealed record NewestEvents(
    IReadOnlyList<RecordedEvent> Events, Remains Remains, long RemovalEpoch, bool SomeAreSuppressed);

/// <summary>
/// Reads the newest events of fingerprints whose grains activate. Those that activate together share one query, so
/// a new visitor costs a share of a batched read.
/// </summary>
public sealed class HistoryLoader
{
    private sealed record Load(string Fingerprint, TaskCompletionSource<NewestEvents> Done);

    private readonly IEventLogStorage storage;
    private readonly Limits limits;
    private readonly Batcher<Load> loads;

    public HistoryLoader(IEventLogStorage storage, Limits limits)
    {
        this.storage = storage;
        this.limits = limits;
        loads = new(limits.LoadQueueMax, limits.LoadFingerprintsMax, _ => 1, ReadBatch);
    }

    /// <summary>Fingerprints waiting for a query.</summary>
    public int Queued => loads.QueuedWeight;

    // Two: while one batch is at the database, the next one's rows are being read.
    public void Start() => loads.Start(2);

    public Task Close() => loads.Close();

    /// <summary>
    /// A fingerprint's newest events, oldest first, at most <see cref="Limits.RememberedEventsMax"/>. Fewer than
    /// that, of which the first has sequence 1, are its whole history.
    /// </summary>
    /// <exception cref="EventLogUnavailableException">The database does not answer, or the queue is full.</exception>
    public Task<NewestEvents> ReadNewest(string fingerprint)
    {
        var load = new Load(fingerprint, new(TaskCreationOptions.RunContinuationsAsynchronously));
        return loads.TryAdd(load)
            ? load.Done.Task
            : throw new EventLogUnavailableException("Too many fingerprints are loading.");
    }

    private async Task ReadBatch(List<Load> batch)
    {
        try
        {
            string[] fingerprints = [.. batch.Select(load => load.Fingerprint).Distinct()];
            var newest = await storage.ReadNewestMeasured(fingerprints, limits.RememberedEventsMax);
            foreach (var load in batch) load.Done.SetResult(newest.For(load.Fingerprint));
        }
        catch (Exception exception) // the callers get it
        {
            foreach (var load in batch) load.Done.TrySetException(exception);
        }
    }
}
