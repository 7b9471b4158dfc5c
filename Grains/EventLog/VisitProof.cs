using System.Globalization;
using System.Text;

namespace Tally.Grains.EventLog;

/// <summary>
/// Compares the stored visits with the log, one fingerprint after another: both come in the order of its bytes, and
/// what is held is one fingerprint's.
/// </summary>
/// <param name="stored">By fingerprint.</param>
/// <param name="calendar">Says the day of an event.</param>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class VisitProof(IAsyncEnumerator<Visit> stored, Calendar calendar, Action<string> report)
{
    private readonly Dictionary<(DateOnly Day, string Product), Visit> folded = [];
    private Visit? next;
    private bool begun;

    public long Visits { get; private set; }

    /// <summary>The next event of the fingerprint whose turn it is.</summary>
    public void Fold(RecordedEvent recorded)
    {
        var e = recorded.Event;
        var key = (calendar.DayOf(e.Occurred), e.Product);
        folded[key] = !folded.TryGetValue(key, out var visit)
            ? new(key.Item1, e.Product, recorded.Fingerprint, 1, e.Occurred, e.Occurred)
            : visit with
            {
                Events = visit.Events + 1,
                FirstSeen = e.Occurred < visit.FirstSeen ? e.Occurred : visit.FirstSeen,
                LastSeen = e.Occurred > visit.LastSeen ? e.Occurred : visit.LastSeen,
            };
    }

    /// <summary>A fingerprint's events have come to their end; null after the last one's.</summary>
    /// <param name="fingerprint">Whose.</param>
    /// <param name="withPruned">Where some were pruned, what all of them add up to.</param>
    public async Task Leave(string? fingerprint, FingerprintState? withPruned = null)
    {
        if (!begun) await MoveNext();
        begun = true;
        var pruned = withPruned is null ? null : new PrunedVisits(withPruned);
        while (next is not null && (fingerprint is null || CompareBytes(next.Fingerprint, fingerprint) <= 0))
        {
            Visit? expected = null;
            if (next.Fingerprint == fingerprint) folded.Remove((next.Day, next.Product), out expected);
            if (pruned is not null && next.Fingerprint == fingerprint && pruned.TryAdd(next, expected)) expected = next;
            if (next != expected)
                report($"visit {Describe(next)}: stored {Say(next)}, "
                    + $"the log says {(expected is null ? "none" : Say(expected))}");
            await MoveNext();
        }
        foreach (var missing in folded.Values)
            report($"visit {Describe(missing)}: missing, the log says {Say(missing)}");
        folded.Clear();
        if (pruned?.Differs() == true)
            report($"visits of '{fingerprint}' do not add up to what was pruned and its events");
    }

    /// <summary>
    /// The visits of a fingerprint with pruned events. What these were day by day nobody knows any more: but on which
    /// days each product was used, how often in all, and when first and last.
    /// </summary>
    private sealed class PrunedVisits(FingerprintState state)
    {
        private readonly Dictionary<string, (int Days, long Events)> byProduct = [];
        private DateTime first = DateTime.MaxValue, last;

        /// <param name="stored">As it is.</param>
        /// <param name="younger">What events that are not pruned give it.</param>
        /// <returns>False where no pruned events could make the one of the other.</returns>
        public bool TryAdd(Visit stored, Visit? younger)
        {
            if (state.FindProduct(stored.Product)?.Days.Contains(stored.Day.DayNumber) != true) return false;
            if (younger is not null
                && (stored.Events < younger.Events || stored.FirstSeen > younger.FirstSeen
                    || stored.LastSeen < younger.LastSeen))
                return false;
            var (days, events) = byProduct.GetValueOrDefault(stored.Product);
            byProduct[stored.Product] = (days + 1, events + stored.Events);
            if (stored.FirstSeen < first) first = stored.FirstSeen;
            if (stored.LastSeen > last) last = stored.LastSeen;
            return true;
        }

        public bool Differs() => first != state.FirstSeen || last != state.LastSeen || state.Products.Exists(product =>
            byProduct.GetValueOrDefault(product.Product) != (product.Days.Count,
                state.Counters.Where(one => one.Product == product.Product).Sum(one => one.Count)));
    }

    private async Task MoveNext()
    {
        next = await stored.MoveNextAsync() ? stored.Current : null;
        if (next is not null) Visits++;
    }

    private static string Describe(Visit visit) =>
        string.Create(CultureInfo.InvariantCulture,
            $"of '{visit.Fingerprint}' to {visit.Product} on {visit.Day:yyyy-MM-dd}");

    private static string Say(Visit visit) =>
        string.Create(CultureInfo.InvariantCulture,
            $"{visit.Events} events from {visit.FirstSeen:O} to {visit.LastSeen:O}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
