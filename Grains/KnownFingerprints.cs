using Tally.Contracts;

namespace Tally.Grains;

/// <summary>
/// Says which fingerprints the log cannot have, so that nobody looks for a new one there. It is a hint and decides
/// nothing: if the log has the fingerprint after all, it refuses its first run, and the fingerprint is loaded.
/// </summary>
/// <remarks>
/// A Bloom filter of a fixed size. It knows what the log had when it was filled and what this silo loads and records,
/// but not what other silos record. Once any fingerprint is suppressed, only a load can say which ones may write.
/// </remarks>
public sealed class KnownFingerprints(Limits limits)
{
    private volatile Filter? filter;
    private volatile bool someAreSuppressed;

    /// <summary>Whether the log cannot have it.</summary>
    /// <param name="removalEpoch">Erasures and prunings before the moment as of which that is known.</param>
    public bool IsNew(string fingerprint, out long removalEpoch)
    {
        var current = filter;
        removalEpoch = current?.RemovalEpoch ?? 0;
        return current is { IsFilled: true } && !someAreSuppressed && !current.MayHave(fingerprint);
    }

    public void Add(string fingerprint) => filter?.Add(fingerprint);

    /// <summary>From now on every fingerprint is loaded.</summary>
    public void NoteSuppression() => someAreSuppressed = true;

    /// <summary>Forgets everything. Until <see cref="Complete"/>, every fingerprint is loaded.</summary>
    /// <param name="removalEpoch">Erasures and prunings before now.</param>
    public void Begin(long removalEpoch) =>
        filter = limits.KnownFingerprintsBytesMax > 0 ? new(limits.KnownFingerprintsBytesMax, removalEpoch) : null;

    /// <summary>All that the log had at <see cref="Begin"/> has been added.</summary>
    public void Complete()
    {
        if (filter is { } filled) filled.IsFilled = true;
    }

    /// <summary>Forgets everything.</summary>
    public void Clear() => filter = null;

    private sealed class Filter(int bytes, long removalEpoch)
    {
        // Of ten million fingerprints in 16 MiB, one new one in 200 is loaded for nothing.
        private const int Probes = 4;

        private readonly long[] words = new long[(bytes + 7) / 8];
        private volatile bool isFilled;

        public long RemovalEpoch => removalEpoch;

        public bool IsFilled
        {
            get => isFilled;
            set => isFilled = value;
        }

        public void Add(string fingerprint)
        {
            var hash = Hash(fingerprint);
            for (var probe = 0; probe < Probes; probe++)
            {
                var (word, bit) = Place(hash, probe);
                if ((Volatile.Read(ref words[word]) & bit) == 0) Interlocked.Or(ref words[word], bit);
            }
        }

        public bool MayHave(string fingerprint)
        {
            var hash = Hash(fingerprint);
            for (var probe = 0; probe < Probes; probe++)
            {
                var (word, bit) = Place(hash, probe);
                if ((Volatile.Read(ref words[word]) & bit) == 0) return false;
            }
            return true;
        }

        // The runtime's hash is seeded in each process, so nobody can choose fingerprints that collide. Two of ten
        // million share its 32 bits with a chance of one in 400.
        private static ulong Hash(string fingerprint) => (uint)fingerprint.GetHashCode() * 0x9E37_79B9_7F4A_7C15;

        private (int Word, long Bit) Place(ulong hash, int probe)
        {
            var mixed = (uint)hash + ((uint)(hash >> 32) | 1) * (uint)probe;
            var place = (mixed * ((ulong)words.Length * 64)) >> 32;
            return ((int)(place >> 6), 1L << (int)(place & 63));
        }
    }
}
