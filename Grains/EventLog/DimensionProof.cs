using System.Globalization;
using System.Text;

namespace Tally.Grains.EventLog;

/// <summary>
/// Compares what is stored of dimensions with the log: the events of each value, and which fingerprints have it. It
/// holds all values, and one fingerprint's.
/// </summary>
/// <param name="stored">By fingerprint.</param>
/// <param name="calendar">Says the day of an event.</param>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class DimensionProof(
    IAsyncEnumerator<DimensionVisit> stored, Calendar calendar, Action<string> report)
{
    // As stored, and what the log says.
    private readonly Dictionary<DimensionKey, (DimensionCounts Stored, DimensionCounts Log)> values = [];

    // One fingerprint's values: in the log, and stored.
    private readonly Dictionary<DimensionKey, (bool Log, bool Stored)> visits = [];

    private readonly List<DimensionValue> read = [];
    private DimensionVisit? next;
    private bool begun;

    public long Values { get; private set; }

    /// <summary>All values come first.</summary>
    /// <param name="removed">What is gone from the log, and erased fingerprints.</param>
    public void Add(DimensionKey key, DimensionCounts counts, DimensionCounts removed)
    {
        Values++;
        values.Add(key, (counts, removed));
    }

    /// <summary>Then what is not merged.</summary>
    public void AddDelta(DimensionKey key, long events) => Count(key, new(-events, 0));

    /// <summary>The next event of the fingerprint whose turn it is.</summary>
    public void Fold(LogRow logged)
    {
        logged.Dimensions.Collect(logged.Recorded.Event.Properties, read);
        foreach (var value in read)
        {
            var key = DimensionKey.From(logged.Recorded.Event, value, calendar);
            Count(key, new(1, 0));
            key = AsCounted(key);
            visits[key] = visits.GetValueOrDefault(key) with { Log = true };
        }
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
            var key = AsCounted(next.Key);
            if (next.IsMerged) Count(key, new(0, 1));
            if (next.Fingerprint == fingerprint) visits[key] = visits.GetValueOrDefault(key) with { Stored = true };
            else report($"{Describe(key)} of '{next.Fingerprint}': stored, the log says none");
        }
        foreach (var (key, visit) in visits)
            if (!visit.Stored) report($"{Describe(key)} of '{fingerprint}': missing");
            else if (!visit.Log && !WasPruned(withPruned, key))
                report($"{Describe(key)} of '{fingerprint}': stored, the log says none");
        visits.Clear();
    }

    /// <summary>After the last fingerprint.</summary>
    public void End()
    {
        foreach (var (key, (counts, log)) in values)
            if (counts != log) report($"{Describe(key)}: stored {counts}, the log says {log}");
    }

    private static bool WasPruned(FingerprintState? withPruned, DimensionKey key) =>
        withPruned?.FindProduct(key.Product)?.Days.Contains(key.Day.DayNumber) == true;

    // A value that its day does not have is counted as the empty one; or it will be its own, if the day has no empty
    // one yet.
    private DimensionKey AsCounted(DimensionKey key) =>
        !values.ContainsKey(key) && key with { Value = "" } is var other && values.ContainsKey(other) ? other : key;

    private void Count(DimensionKey key, DimensionCounts counts)
    {
        key = AsCounted(key);
        var (kept, log) = values.GetValueOrDefault(key);
        values[key] = (kept, log + counts);
    }

    private async Task MoveNext() => next = await stored.MoveNextAsync() ? stored.Current : null;

    private static string Describe(DimensionKey key) => string.Create(CultureInfo.InvariantCulture,
        $"{key.Dimension} '{key.Value}' of {key.Product} on {key.Day:yyyy-MM-dd}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
