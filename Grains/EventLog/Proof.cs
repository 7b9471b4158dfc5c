using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Tally.Contracts;

namespace Tally.Grains.EventLog;

/// <summary>
/// Folds the whole log and compares it with every snapshot, every visit, every firing of a rule and, together with what
/// is gone from it, every rollup and every value of a dimension. Events are streamed; what is held grows with the
/// number of rollups (minutes times products times actions) and of values, and not with the number of events.
/// </summary>
/// <param name="audit">Everything stored, as of one moment.</param>
/// <param name="readState">Reads what grain storage writes.</param>
/// <param name="difference">Told each difference, in one line, as it is found.</param>
/// <param name="rest">Awaited after each <see cref="EventsBetweenRests"/> events: for who proves beside a service.
/// </param>
public sealed class Proof(IEventLogAudit audit, Func<byte[], FingerprintState> readState, Action<string> difference,
    Func<ValueTask>? rest = null)
{
    public const int EventsBetweenRests = 500;

    private readonly RollupDeltas folded = [];
    private long logEvents;

    public long Events { get; private set; }

    /// <summary>Of which the log has only what they add up to.</summary>
    public long PrunedEvents { get; private set; }

    public long Fingerprints { get; private set; }
    public long Snapshots { get; private set; }
    public long Rollups { get; private set; }
    public long Visits { get; private set; }
    public long DimensionValues { get; private set; }
    public long Firings { get; private set; }
    public long Differences { get; private set; }

    /// <summary>How many rollups are in memory to be compared.</summary>
    public int FoldedRollups => folded.Count;

    /// <summary>
    /// The part of the log that is read, from 0 to 1. The log is as long as the counters say: if they are wrong, so is
    /// this.
    /// </summary>
    public double Progress => logEvents > 0 ? Math.Min(1, (double)Events / logEvents) : 0;

    public async Task Run(CancellationToken cancellation)
    {
        await foreach (var (key, counts) in audit.RemovedRollups(cancellation)) folded.AddCounts(key, counts);
        var counted = 0L;
        await foreach (var (_, _, events) in audit.Counts(cancellation)) counted += events;
        logEvents = counted - folded.Values.Sum(removed => removed.Events);
        await FoldEvents(cancellation);
        await CountsProof.Run(audit, folded, Report, cancellation);
        await Compare("rollup of the hour", folded.ByHour(audit.Calendar), HoursOfTheirDay(cancellation));
        Rollups = await Compare("rollup", folded, audit.Rollups(cancellation));
    }

    // Each is stored with its day.
    private async IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> HoursOfTheirDay(
        [EnumeratorCancellation] CancellationToken cancellation)
    {
        await foreach (var (key, day, counts) in audit.RollupHours(cancellation))
        {
            if (audit.Calendar.DayOf(key.Minute) is var expected && day != expected)
                Report(string.Create(CultureInfo.InvariantCulture,
                    $"rollup of the hour {Describe(key)}: stored on {day:yyyy-MM-dd}, not {expected:yyyy-MM-dd}"));
            yield return (key, counts);
        }
    }

    /// <returns>How many are stored.</returns>
    private async Task<long> Compare(string what, RollupDeltas fold,
        IAsyncEnumerable<(RollupKey Key, RollupCounts Counts)> stored)
    {
        long count = 0;
        await foreach (var (key, counts) in stored)
        {
            count++;
            if (!fold.Remove(key, out var expected)) expected = default;
            if (counts != expected) Report($"{what} {Describe(key)}: stored {counts}, the log says {expected}");
        }
        foreach (var (key, expected) in fold) Report($"{what} {Describe(key)}: missing, the log says {expected}");
        return count;
    }

    // All streams come in the order of the fingerprints' bytes, so one pass brings to each its events and what is kept
    // of it.
    private async Task FoldEvents(CancellationToken cancellation)
    {
        await using var events = audit.Events(cancellation).GetAsyncEnumerator(cancellation);
        await using var states = audit.States(cancellation).GetAsyncEnumerator(cancellation);
        await using var stored = audit.Visits(cancellation).GetAsyncEnumerator(cancellation);
        var visits = new VisitProof(stored, audit.Calendar, Report);
        await using var values = audit.DimensionVisits(cancellation).GetAsyncEnumerator(cancellation);
        var dimensions = new DimensionProof(values, audit.Calendar, Report);
        await using var effects = audit.RuleEffects(cancellation).GetAsyncEnumerator(cancellation);
        var rules = new RuleProof(effects, audit.EndedRules, Report);
        await foreach (var (key, counts, removed) in audit.DimensionValues(cancellation))
            dimensions.Add(key, counts, removed);
        await foreach (var (key, delta) in audit.DimensionDeltas(cancellation)) dimensions.AddDelta(key, delta);
        var (next, kept) = (await NextEvent(events), await NextKept(states));
        while (next is not null || kept is not null)
        {
            var ofNext = next?.Recorded.Fingerprint;
            var fingerprint = kept is null || ofNext is not null && CompareBytes(ofNext, kept.Fingerprint) <= 0
                ? ofNext! : kept.Fingerprint;
            var proof = new FingerprintProof(fingerprint, audit.Calendar, Report);
            for (; kept?.Fingerprint == fingerprint; kept = await NextKept(states))
                if (kept.IsPruned) proof.BeginWithPruned(kept.State);
                else proof.Add(kept.State);
            for (; next?.Recorded.Fingerprint == fingerprint; next = await NextEvent(events))
            {
                rules.Fold(next.Recorded, proof.State.Rules);
                if (proof.Fold(next.Recorded) is { } decided) folded.Add(decided);
                visits.Fold(next.Recorded);
                dimensions.Fold(next);
            }
            proof.End();
            var withPruned = proof.PrunedEvents > 0 ? proof.State : null;
            await visits.Leave(fingerprint, withPruned);
            await dimensions.Leave(fingerprint, withPruned);
            await rules.Leave(fingerprint, proof.PrunedEvents, proof.State.Sequence);
            if (proof.State.Total > 0) Fingerprints++;
            PrunedEvents += proof.PrunedEvents;
        }
        await visits.Leave(null);
        await dimensions.Leave(null);
        await rules.Leave(null);
        dimensions.End();
        (Visits, DimensionValues, Firings) = (visits.Visits, dimensions.Values, rules.Firings);
    }

    private sealed record Kept(string Fingerprint, FingerprintState State, bool IsPruned);

    private async Task<LogRow?> NextEvent(IAsyncEnumerator<LogRow> events)
    {
        if (!await events.MoveNextAsync()) return null;
        Events++;
        if (rest is not null && Events % EventsBetweenRests == 0) await rest();
        return events.Current;
    }

    private async Task<Kept?> NextKept(IAsyncEnumerator<StoredState> states)
    {
        while (await states.MoveNextAsync())
        {
            var (key, payload, isPruned) = states.Current;
            if (!isPruned) Snapshots++;
            try
            {
                return new(FingerprintKey.Fingerprint(key), readState(payload), isPruned);
            }
            catch (Exception exception) // a key of another program, or whatever broken bytes make a serializer throw
            {
                Report($"{(isPruned ? "what was pruned of" : "snapshot")} '{key}' cannot be read: {exception.Message}");
            }
        }
        return null;
    }

    private void Report(string text)
    {
        Differences++;
        difference(text);
    }

    private static string Describe(RollupKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.Minute:yyyy-MM-dd'T'HH:mm'Z'} {key.Product} {key.Action}");

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
