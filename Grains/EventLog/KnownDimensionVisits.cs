namespace Tally.Grains.EventLog;

/// <summary>
/// A hint of which fingerprints have been counted at which values, so that most events need not say it again: what is
/// said twice counts once. It forgets at random, and everything if anything was removed, because an erased fingerprint
/// that comes again is another one.
/// </summary>
public sealed class KnownDimensionVisits
{
    private const int Places = 1 << 19; // 8 MB, made when the first one comes

    private readonly Lock gate = new();
    private UInt128[]? visits;
    private long removalEpoch;
    private int version;

    /// <summary>Before a batch is made.</summary>
    /// <param name="newestEpoch">The newest removal epoch that the batch's writers know.</param>
    /// <returns>For <see cref="Add"/>.</returns>
    public int Begin(long newestEpoch)
    {
        lock (gate)
        {
            if (newestEpoch <= removalEpoch) return version;
            removalEpoch = newestEpoch;
            return Forget();
        }
    }

    public bool Contains(UInt128 visit)
    {
        lock (gate) return visits is not null && visits[Place(visit)] == visit;
    }

    /// <summary>The batch is committed.</summary>
    public void Add(IEnumerable<UInt128> committed, int begun)
    {
        lock (gate)
        {
            if (begun != version) return; // something was removed since
            visits ??= new UInt128[Places];
            foreach (var visit in committed) visits[Place(visit)] = visit;
        }
    }

    /// <summary>Something was removed.</summary>
    public void Clear()
    {
        lock (gate) Forget();
    }

    private int Forget()
    {
        visits?.AsSpan().Clear();
        return ++version;
    }

    private static int Place(UInt128 visit) => (int)(visit % Places);
}
