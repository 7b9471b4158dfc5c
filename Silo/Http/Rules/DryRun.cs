using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Rules;

/// <summary>What a rule would have done.</summary>
/// <param name="From">UTC: it would have been in force for events that occurred from then on.</param>
/// <param name="Events">That were read.</param>
/// <param name="Firings">How often it would have fired.</param>
/// <param name="Days">The same by day, only days with any.</param>
/// <param name="First">The first of them.</param>
public sealed record DryRunAnswer(DateTime From, string TimeZone, long Events, long Firings,
    IReadOnlyList<DryRunDay> Days, IReadOnlyList<DryRunFiring> First);

/// <param name="Day">Of the event, or of the end of its window.</param>
public sealed record DryRunDay(DateOnly Day, long Firings);

/// <param name="Fingerprint">Absent for a silence, which is nobody's.</param>
/// <param name="Sequence">Of the event; absent likewise.</param>
/// <param name="Time">UTC: when it occurred, or when its window ended.</param>
public sealed record DryRunFiring(string? Fingerprint, long? Sequence, DateTime Time);

/// <summary>
/// Folds the log, or for a silence the totals, by a rule that is not in force. What it holds is one fingerprint's
/// deadlines, and sums by day.
/// </summary>
internal sealed class DryRun(RuleDefinition definition, Calendar calendar, DateTime now)
{
    private const int FirstMax = 20;

    private readonly RuleSet rules = new(1, [new(1, "", 1, definition)]);
    private readonly SortedDictionary<DateOnly, long> days = [];
    private readonly PriorityQueue<DryRunFiring, DateTime> first =
        new(Comparer<DateTime>.Create((a, b) => b.CompareTo(a)));
    private readonly List<Deadline> deadlines = []; // of the fingerprint whose turn it is
    private string fingerprint = "";
    private RuleStates? states;
    private long events;

    /// <param name="from">UTC.</param>
    public static async Task<DryRunAnswer> Run(RuleDefinition definition, DateTime from, DateTime now,
        SqlStorage storage, CancellationToken cancellation)
    {
        var run = new DryRun(definition, storage.Calendar, now);
        if (definition.Kind == RuleKind.Silence) await run.FindSilences(from, storage, cancellation);
        else await run.FoldLog(from, storage, cancellation);
        return new(from, storage.Calendar.Name, run.events, run.days.Values.Sum(),
            [.. run.days.Select(day => new DryRunDay(day.Key, day.Value))],
            [.. run.first.UnorderedItems.Select(one => one.Element)
                .OrderBy(one => one.Time).ThenBy(one => one.Fingerprint, StringComparer.Ordinal)]);
    }

    private async Task FoldLog(DateTime from, SqlStorage storage, CancellationToken cancellation)
    {
        var selection = new ExportSelection(ExportCursor.Beginning, from,
            DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc), null);
        await foreach (var recorded in storage.Export(selection, cancellation)) Fold(recorded);
        EndFingerprint();
    }

    private async Task FindSilences(DateTime from, SqlStorage storage, CancellationToken cancellation)
    {
        var minutes = await storage.ReadMinutes(definition.Event.Product, definition.Event.Action,
            RollupKey.MinuteOf(from), cancellation);
        events = minutes.Sum(one => one.Events);
        var fired = new FiredBefore(definition.How);
        foreach (var (since, due) in Silence.FindAll(minutes.Select(one => one.Minute), from, now, definition.Within))
            if (fired.MayFire(since)) Note(null, null, due);
    }

    private void Fold(RecordedEvent recorded)
    {
        events++;
        if (recorded.Fingerprint != fingerprint) EndFingerprint();
        fingerprint = recorded.Fingerprint;
        var marks = rules.Mark(recorded.Event)!;
        if (marks.Matches.Count == 0) return;
        var effects = new RuleEffects();
        states = RuleFold.Fold(states, marks, fingerprint, recorded.Sequence, recorded.Event, effects);
        foreach (var firing in effects.Firings) Note(fingerprint, firing.Sequence, firing.Occurred);
        foreach (var met in effects.Met) deadlines.RemoveAll(one => one.Sequence == met.Sequence);
        deadlines.AddRange(effects.Deadlines);
    }

    // As the clock does it.
    private void EndFingerprint()
    {
        var fired = new FiredBefore(definition.How);
        foreach (var one in deadlines)
            if (one.Due <= now && fired.MayFire(one.Occurred)) Note(fingerprint, one.Sequence, one.Due);
        deadlines.Clear();
        states = null;
    }

    private void Note(string? whose, long? sequence, DateTime time)
    {
        var day = calendar.DayOf(time);
        days[day] = days.GetValueOrDefault(day) + 1;
        first.Enqueue(new(whose, sequence, time), time);
        if (first.Count > FirstMax) first.Dequeue(); // the latest
    }

    private sealed class FiredBefore(RuleFrequency how)
    {
        private readonly HashSet<DateTime> times = [];

        public bool MayFire(DateTime occurred) => how switch
        {
            RuleFrequency.Once => times.Add(default),
            RuleFrequency.Daily => times.Add(occurred.Date),
            _ => true,
        };
    }
}
