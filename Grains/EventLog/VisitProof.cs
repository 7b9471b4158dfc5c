using System.Globalization;
using System.Text;

namespace Tally.Grains.EventLog;

/// <summary>
/// Compares the stored visits with the log, one fingerprint after another: both come in the order of its bytes, and what
/// is held is one fingerprint's.
/// </summary>
/// <param name="stored">By fingerprint.</param>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class VisitProof(IAsyncEnumerator<Visit> stored, Action<string> report)
{
    private readonly Dictionary<(DateOnly Day, string Product), Visit> folded = [];
    private Visit? next;
    private bool begun;

    public long Visits { get; private set; }

    /// <summary>The next event of the fingerprint whose turn it is.</summary>
    public void Fold(RecordedEvent recorded)
    {
        var e = recorded.Event;
        var key = (DateOnly.FromDateTime(e.Occurred), e.Product);
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
    public async Task Leave(string? fingerprint)
    {
        if (!begun) await MoveNext();
        begun = true;
        while (next is not null && (fingerprint is null || CompareBytes(next.Fingerprint, fingerprint) <= 0))
        {
            Visit? expected = null;
            if (next.Fingerprint == fingerprint) folded.Remove((next.Day, next.Product), out expected);
            if (next != expected)
                report($"visit {Describe(next)}: stored {Say(next)}, the log says {(expected is null ? "none" : Say(expected))}");
            await MoveNext();
        }
        foreach (var missing in folded.Values) report($"visit {Describe(missing)}: missing, the log says {Say(missing)}");
        folded.Clear();
    }

    private async Task MoveNext()
    {
        next = await stored.MoveNextAsync() ? stored.Current : null;
        if (next is not null) Visits++;
    }

    private static string Describe(Visit visit) =>
        string.Create(CultureInfo.InvariantCulture, $"of '{visit.Fingerprint}' to {visit.Product} on {visit.Day:yyyy-MM-dd}");

    private static string Say(Visit visit) =>
        string.Create(CultureInfo.InvariantCulture, $"{visit.Events} events from {visit.FirstSeen:O} to {visit.LastSeen:O}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
