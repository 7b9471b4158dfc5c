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
/// Those without an activation leave after the same time (<see cref="EndIdle"/>).
/// </remarks>
public sealed class ResidentFingerprints(Limits limits, IOptions<GrainCollectionOptions> collection)
{
    /// <summary>How long one that nobody asks for stays, unless others need its memory.</summary>
    public TimeSpan CollectionAge { get; } = collection.Value.CollectionAge;

    // So that one that enters never walks through a whole silo of busy ones: then the last one looked at leaves.
    private const int ChancesMax = 8;

    private readonly ConcurrentQueue<Resident> round = new();
    private readonly ConcurrentDictionary<string, Resident> places = new();
    private int length;

    /// <summary>
    /// One that has an activation and has loaded, to be called without a message. It may leave at any
    /// moment, and says so.
    /// </summary>
    public Fingerprint? Find(string fingerprint) =>
        places.TryGetValue(fingerprint, out var place) ? place.Joined : null;

    /// <summary>How many are here.</summary>
    public int Count => places.Count;

    /// <summary>Ends those without an activation that are older than the collection age.</summary>
    public void EndIdle()
    {
        var enteredBefore = Environment.TickCount64 - (long)CollectionAge.TotalMilliseconds;
        foreach (var (_, place) in places)
            if (place.EnteredAt < enteredBefore) place.Newcomer?.End();
    }

    /// <summary>For an activation: a place of its own, or the newcomer that is here, to be joined.</summary>
    internal (Resident Place, Fingerprint? Newcomer) Enter(string fingerprint, IGrainContext grain)
    {
        var entering = new Resident(this, grain);
        while (true)
        {
            var place = places.GetOrAdd(fingerprint, entering);
            if (place == entering) break;
            if (place.Newcomer is { } newcomer) return (place, newcomer);
            // The place of an activation that Orleans has given up.
            if (places.TryUpdate(fingerprint, entering, place)) break;
        }
        Entered(entering);
        return (entering, null);
    }

    /// <summary>Called by <see cref="Placement.Ownership.TryOpen"/> alone.</summary>
    /// <returns>False where its place is another's.</returns>
    internal bool TryOpen(Resident place, Fingerprint here)
    {
        place.Open(here);
        return places.GetOrAdd(here.Name, place) == place;
    }

    /// <summary>Counts one that is among the places now, and makes room for it.</summary>
    internal void Entered(Resident place)
    {
        TallyMetrics.ResidentFingerprints.Add(1);
        round.Enqueue(place);
        if (Interlocked.Increment(ref length) > limits.ResidentFingerprintsMax) MakeRoom();
    }

    internal void Leave(string fingerprint, Resident place)
    {
        TallyMetrics.ResidentFingerprints.Add(-1);
        places.TryRemove(new(fingerprint, place)); // the next one may have it already
        place.Leave();
    }

    /// <summary>Sends the calls of those that are not kept away, and ends them.</summary>
    internal void Lose(Predicate<ulong> keeps, long inVersion)
    {
        foreach (var here in Loaded)
            if (!keeps(here.Point)) here.Lose(inVersion);
    }

    /// <summary>Writes the snapshots that are due.</summary>
    internal Task Save() => Task.WhenAll(Loaded.Select(here => here.Save()));

    /// <summary>Sends all calls away. Completes when everything that was taken is written.</summary>
    internal Task Leave() => Task.WhenAll(Loaded.Select(here => here.Leave()));

    private IEnumerable<Fingerprint> Loaded => places.Select(one => one.Value.Here).OfType<Fingerprint>();

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
