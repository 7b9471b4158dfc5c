using System.Globalization;
using System.Text;

namespace Tally.Grains.EventLog;

/// <summary>
/// Compares what is stored of dimensions: each fingerprint's values with the log, and each value's counts with what
/// its fingerprints gave it. It holds all values and one fingerprint's.
/// </summary>
/// <param name="stored">By fingerprint.</param>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class DimensionProof(IAsyncEnumerator<DimensionVisit> stored, Action<string> report)
{
    private readonly Dictionary<DimensionKey, (DimensionCounts Stored, DimensionCounts Given)> values = [];
    private readonly Dictionary<DimensionKey, (long Log, long Stored)> folded = [];
    private readonly List<DimensionValue> read = [];
    private DimensionVisit? next;
    private bool begun;

    public long Values => values.Count;

    /// <summary>A value's counts, before the first fingerprint.</summary>
    /// <param name="removed">What erased fingerprints gave.</param>
    public void Add(DimensionKey key, DimensionCounts counts, DimensionCounts removed) =>
        values.Add(key, (counts, removed));

    /// <summary>The next event of the fingerprint whose turn it is.</summary>
    public void Fold(LoggedEvent logged)
    {
        var e = logged.Recorded.Event;
        logged.Dimensions.Read(e.Properties, read);
        foreach (var (dimension, value) in read)
            Add(new(DateOnly.FromDateTime(e.Occurred), e.Product, dimension, value), log: 1, stored: 0);
    }

    /// <summary>A fingerprint's events have come to their end; null after the last one's.</summary>
    /// <param name="fingerprint">Whose.</param>
    /// <param name="withPruned">What all events add up to, if some were pruned: nobody knows their values.</param>
    public async Task Leave(string? fingerprint, FingerprintState? withPruned = null)
    {
        if (!begun) await MoveNext();
        begun = true;
        for (; next is not null && (fingerprint is null || CompareBytes(next.Fingerprint, fingerprint) <= 0);
            await MoveNext())
        {
            if (next.IsMerged) Give(next.Key, new(next.Events, 1));
            if (next.Fingerprint == fingerprint) Add(next.Key, log: 0, stored: next.Events);
            else report($"{Describe(next.Key)} of '{next.Fingerprint}': stored {next.Events} events, the log says none");
        }
        foreach (var (key, (log, kept)) in folded)
            if (log != kept && !(kept > log && WasPruned(withPruned, key)))
                report($"{Describe(key)} of '{fingerprint}': stored {kept} events, the log says {log}");
        folded.Clear();
    }

    /// <summary>After the last fingerprint.</summary>
    public void End()
    {
        foreach (var (key, (kept, given)) in values)
            if (kept != given) report($"{Describe(key)}: stored {kept}, its fingerprints say {given}");
    }

    private static bool WasPruned(FingerprintState? withPruned, DimensionKey key) =>
        withPruned?.FindProduct(key.Product)?.Days.Contains(key.Day.DayNumber) == true;

    // A value that is not among those of its day counts, or will count, as the empty one. A day that has no empty one
    // may still take it, and then so do the log and what is stored.
    private void Add(DimensionKey key, long log, long stored)
    {
        if (!values.ContainsKey(key) && values.ContainsKey(key with { Value = "" })) key = key with { Value = "" };
        var (events, kept) = folded.GetValueOrDefault(key);
        folded[key] = (events + log, kept + stored);
    }

    private void Give(DimensionKey key, DimensionCounts counts)
    {
        var (kept, given) = values.GetValueOrDefault(key);
        values[key] = (kept, given + counts);
    }

    private async Task MoveNext() => next = await stored.MoveNextAsync() ? stored.Current : null;

    private static string Describe(DimensionKey key) => string.Create(CultureInfo.InvariantCulture,
        $"{key.Dimension} '{key.Value}' of {key.Product} on {key.Day:yyyy-MM-dd}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
