using System.IO.Hashing;
using System.Runtime.InteropServices;

namespace Tally.Grains.EventLog;

/// <summary>
/// What a batch adds to the dimensions: the events of each value, and which fingerprints have it perhaps for the first
/// time on its day.
/// </summary>
public sealed class DimensionDelta
{
    private readonly Dictionary<DimensionKey, int> places = [];
    private readonly List<UInt128> hashes = []; // of the values

    /// <summary>Values, and events of each.</summary>
    public List<DimensionKey> Values { get; } = [];
    public List<int> Events { get; } = [];

    /// <summary>Fingerprints, and the place of the value that each has.</summary>
    public List<string> Fingerprints { get; } = [];
    public List<int> Places { get; } = [];

    /// <summary>One for each fingerprint and value.</summary>
    public HashSet<UInt128> Visits { get; } = [];

    /// <param name="set">What they are counted by.</param>
    /// <param name="known">Which fingerprints are known to have a value.</param>
    /// <returns>Null if they add nothing.</returns>
    public static DimensionDelta? From(
        IReadOnlyList<RecordedEvent> events, DimensionSet set, Calendar calendar, KnownDimensionVisits known)
    {
        if (set.Id == 0) return null;
        DimensionDelta? delta = null;
        List<DimensionValue>? values = null;
        foreach (var recorded in events)
        {
            if (recorded.Event.Properties is not { } properties) continue;
            set.Collect(properties, values ??= []);
            if (values.Count == 0) continue;
            var fingerprint = Hash(recorded.Fingerprint);
            foreach (var value in values)
                (delta ??= new()).Add(
                    DimensionKey.From(recorded.Event, value, calendar), recorded.Fingerprint, fingerprint, known);
        }
        return delta;
    }

    private void Add(DimensionKey key, string fingerprint, UInt128 fingerprintHash, KnownDimensionVisits known)
    {
        ref var place = ref CollectionsMarshal.GetValueRefOrAddDefault(places, key, out var exists);
        if (!exists)
        {
            place = Values.Count;
            Values.Add(key);
            Events.Add(0);
            hashes.Add(Hash(key));
        }
        Events[place]++;
        var visit = Hash([fingerprintHash, hashes[place]]);
        if (known.Contains(visit) || !Visits.Add(visit)) return;
        Fingerprints.Add(fingerprint);
        Places.Add(place);
    }

    private static UInt128 Hash(DimensionKey key) =>
        Hash([Hash(key.Product), Hash(key.Dimension), Hash(key.Value), (UInt128)key.Day.DayNumber]);

    private static UInt128 Hash(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()), Seed);

    private static UInt128 Hash(ReadOnlySpan<UInt128> parts) =>
        XxHash128.HashToUInt128(MemoryMarshal.AsBytes(parts), Seed);

    // Nobody can choose two values with one hash.
    private static readonly long Seed = Random.Shared.NextInt64();
}
