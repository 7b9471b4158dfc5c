using Microsoft.Extensions.DependencyInjection;
using Orleans.Storage;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// Reads and writes snapshots through Orleans' grain storage. Not through <c>IPersistentState</c>, which reads
/// before every activation: a history that one load covers never needs its snapshot.
/// </summary>
public sealed class Snapshots(
    [FromKeyedServices(Snapshots.StorageName)] IGrainStorage storage, Limits limits, TimeProvider clock)
{
    public const string StorageName = "snapshots";
    private const string StateName = "fingerprint";

    // All grains of the silo together: snapshots give way to events, on the database's connections and its disk.
    private readonly SemaphoreSlim writes = new(limits.SnapshotWritesMax);

    private readonly Pace turns = new(limits.SnapshotsPerSecondMax, clock);

    /// <summary>For the grains' lines about writes that failed: when one does, all do.</summary>
    public LogThrottle Failures { get; } = new();

    public async Task<GrainState<FingerprintState>> Read(GrainId grain)
    {
        var stored = new GrainState<FingerprintState>(new());
        await storage.ReadStateAsync(StateName, grain, stored);
        return stored;
    }

    /// <summary>
    /// Waits for a turn to write a snapshot that is due. False where too many wait: the next event will ask again.
    /// </summary>
    public ValueTask<bool> TakeTurn() => turns.Wait(limits.LoadQueueMax); // as many grains as may load may wait

    /// <exception cref="InconsistentStateException">Another activation has written since.</exception>
    public async Task Write(GrainId grain, GrainState<FingerprintState> stored)
    {
        await writes.WaitAsync();
        try
        {
            await storage.WriteStateAsync(StateName, grain, stored);
            TallyMetrics.SnapshotsWritten.Add(1);
        }
        finally
        {
            writes.Release();
        }
    }
}
