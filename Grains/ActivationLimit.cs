using System.Collections.Concurrent;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// The fingerprints that this silo holds in memory: finds one that has loaded, and bounds their number. Beyond the
/// limit each one that enters makes room: the oldest leaves, unless it was asked for since it was last looked at; then
/// it has a second chance, behind the youngest.
/// </summary>
/// <remarks>
/// Orleans, too, collects what is idle, and counts messages alone as use. So one that is called without a message asks
/// to be kept, again and again: what nobody asks for leaves after Orleans' collection age, and what is in use stays.
/// </remarks>
public sealed class ActivationLimit(Limits limits, IOptions<GrainCollectionOptions> collection)
{
    /// <summary>How long a use keeps a fingerprint from Orleans' collection.</summary>
    internal TimeSpan CollectionAge { get; } = collection.Value.CollectionAge;

    // So that one that enters never walks through a whole silo of busy ones: then the last one looked at leaves.
    private const int ChancesMax = 8;

    private readonly ConcurrentQueue<Resident> round = new();
    private readonly ConcurrentDictionary<string, Fingerprint> loaded = new();
    private int length;

    /// <summary>
    /// One that is here and has loaded, to be called without a message. It may leave at any moment, and says so.
    /// </summary>
    public Fingerprint? Find(string fingerprint) => loaded.GetValueOrDefault(fingerprint);

    /// <summary>How many are here and have loaded.</summary>
    public int Loaded => loaded.Count;

    internal void Open(string fingerprint, Fingerprint here) => loaded[fingerprint] = here;

    // The next activation may be open already.
    internal void Close(string fingerprint, Fingerprint here) => loaded.TryRemove(new(fingerprint, here));

    /// <summary>Sends the calls of those that are not kept away, and ends them.</summary>
    internal void Lose(Predicate<ulong> keeps, long inVersion)
    {
        foreach (var (_, here) in loaded)
            if (!keeps(here.Point)) here.Lose(inVersion);
    }

    /// <summary>Writes the snapshots that are due.</summary>
    internal Task Save() => Task.WhenAll(loaded.Values.Select(here => here.Save()));

    /// <summary>Sends all calls away. Completes when everything that was taken is written.</summary>
    internal Task Leave() => Task.WhenAll(loaded.Values.Select(here => here.Leave()));

    internal Resident Enter(IGrainContext grain)
    {
        var entered = new Resident(grain);
        round.Enqueue(entered);
        if (Interlocked.Increment(ref length) > limits.ResidentFingerprintsMax) MakeRoom();
        return entered;
    }

    private void MakeRoom()
    {
        for (var chances = 1; round.TryDequeue(out var oldest); chances++)
        {
            if (oldest.TakeSecondChance() && chances < ChancesMax)
            {
                round.Enqueue(oldest);
                continue;
            }
            Interlocked.Decrement(ref length);
            oldest.Evict();
            return;
        }
    }
}

/// <summary>One fingerprint's place among those in memory.</summary>
internal sealed class Resident(IGrainContext grain)
{
    private static readonly DeactivationReason MadeRoom =
        new(DeactivationReasonCode.ApplicationRequested, "Others need its memory.");

    private volatile IGrainContext? grain = grain;
    private volatile bool used;

    /// <summary>It was asked for.</summary>
    public void Use() => used = true;

    public bool HasLeft => grain is null;

    /// <summary>It has left by itself: its place is kept, its memory is not.</summary>
    public void Leave() => grain = null;

    public bool TakeSecondChance()
    {
        if (!used || grain is null) return false;
        used = false;
        return true;
    }

    /// <summary>It leaves when its requests are done; those that come meanwhile go to its next activation.</summary>
    public void Evict() => grain?.Deactivate(MadeRoom);
}
