using System.Globalization;
using System.Text;
using Tally.Grains.Rules;

namespace Tally.Grains.EventLog;

/// <summary>
/// Compares what is stored of rules with the log, one fingerprint after another: what its events match, what rules did
/// at them, and what they wait for. Of pruned events nothing is known: what rules did at them stays.
/// </summary>
/// <param name="stored">By fingerprint.</param>
/// <param name="endedRules">Of these, the clock drops deadlines.</param>
/// <param name="report">Told each difference, in one line.</param>
internal sealed class RuleProof(
    IAsyncEnumerator<StoredRuleEffect> stored, IReadOnlySet<int> endedRules, Action<string> report)
{
    private readonly List<Firing> firings = [];
    private readonly Dictionary<(int Rule, long Sequence), (Deadline Deadline, long? MetBy)> deadlines = [];
    private int lastSet;
    private StoredRuleEffect? next;
    private bool begun;

    /// <summary>How many firings are stored.</summary>
    public long Firings { get; private set; }

    /// <summary>The next event of the fingerprint whose turn it is.</summary>
    /// <param name="before">The rules' states before it.</param>
    public void Fold(RecordedEvent recorded, RuleStates? before)
    {
        var set = recorded.Marks?.Set.Id ?? 0;
        if (set < lastSet)
            report($"event {recorded.Sequence} of '{recorded.Fingerprint}': decided by rules older than those before");
        lastSet = set;
        if (recorded.Marks is not { } marks) return;
        if (!marks.Matches.SequenceEqual(marks.Set.Mark(recorded.Event)?.Matches ?? []))
            report($"event {recorded.Sequence} of '{recorded.Fingerprint}': what it matches of its rules is not "
                + "what is stored");
        if (marks.Matches.Count == 0) return;
        var effects = new RuleEffects();
        RuleFold.Fold(before, marks, recorded.Fingerprint, recorded.Sequence, recorded.Event, effects);
        firings.AddRange(effects.Firings);
        foreach (var deadline in effects.Deadlines)
            deadlines[(deadline.Rule.Id, deadline.Sequence)] = (deadline, null);
        foreach (var met in effects.Met)
            if (deadlines.TryGetValue((met.Rule.Id, met.Sequence), out var one)) // else it is one of a pruned event
                deadlines[(met.Rule.Id, met.Sequence)] = (one.Deadline, met.By);
    }

    /// <summary>A fingerprint's events have come to their end; null after the last one's.</summary>
    /// <param name="pruned">The sequence of its last pruned event; 0 for none.</param>
    /// <param name="head">The sequence of its last event.</param>
    public async Task Leave(string? fingerprint, long pruned = 0, long head = 0)
    {
        if (!begun) await MoveNext();
        begun = true;
        var own = new Dictionary<(int Rule, long Sequence, bool IsDeadline), StoredRuleEffect>();
        for (; next is not null && (fingerprint is null || CompareBytes(next.Fingerprint, fingerprint) <= 0);
            await MoveNext())
            if (next.Fingerprint != fingerprint) ReportUnexpected(next);
            else if (next.Sequence > pruned || next.Due is null)
                own.Add((next.Rule, next.Sequence, next.Due is not null), next);
        Compare(own, head);
        foreach (var one in own.Values)
            if (one.Sequence > pruned) ReportUnexpected(one);
        firings.Clear();
        deadlines.Clear();
        lastSet = 0;
    }

    private void Compare(Dictionary<(int Rule, long Sequence, bool IsDeadline), StoredRuleEffect> own, long head)
    {
        // How often the clock has fired, before anything is taken out.
        var fired = own.Values.Where(one => one.Due is null).ToLookup(one => one.Rule);
        foreach (var expected in firings)
        {
            if (!own.Remove((expected.Rule.Id, expected.Sequence, false), out var one))
                ReportMissing("firing", expected.Rule, expected.Fingerprint, expected.Sequence);
            else CompareFiring(one, expected.Rule, expected.Occurred, one.Head is null);
        }
        foreach (var (expected, metBy) in deadlines.Values)
        {
            own.Remove((expected.Rule.Id, expected.Sequence, true), out var waiting);
            own.Remove((expected.Rule.Id, expected.Sequence, false), out var firing);
            Compare(expected, metBy, waiting, firing, head);
            var others = fired[expected.Rule.Id].Where(one => one.Sequence != expected.Sequence).ToList();
            var isLimited = others.Exists(one => IsInTheWay(one, expected));
            if (firing is not null && isLimited)
                report($"{Describe("firing", expected.Rule, expected.Fingerprint, expected.Sequence)}: "
                    + "the rule has fired before");
            if (firing is null && waiting is null && metBy is null && !isLimited
                && !endedRules.Contains(expected.Rule.Id))
                ReportMissing("deadline or firing", expected.Rule, expected.Fingerprint, expected.Sequence);
        }
    }

    private void Compare(Deadline expected, long? metBy, StoredRuleEffect? waiting, StoredRuleEffect? firing, long head)
    {
        if (firing is not null)
            // Whoever came in time came before the clock, or after it.
            CompareFiring(firing, expected.Rule, expected.Occurred,
                firing.Head >= expected.Sequence && firing.Head <= head && !(metBy <= firing.Head));
        if (waiting is not null && (firing is not null || metBy is not null || waiting.Due != expected.Due
            || waiting.Occurred != expected.Occurred))
            report($"{Describe("deadline", expected.Rule, expected.Fingerprint, expected.Sequence)}: "
                + $"stored for {Say(waiting.Due!.Value)}, the log says "
                + (firing is not null || metBy is not null ? "none" : Say(expected.Due)));
    }

    private void CompareFiring(StoredRuleEffect one, Rule rule, DateTime occurred, bool isHeadRight)
    {
        var isStateRight = rule.Definition.Webhook is null ? one.State == "recorded"
            : one.State is "pending" or "delivered" or "parked";
        if (one.Occurred != occurred || !isHeadRight || !isStateRight)
            report($"{Describe("firing", rule, one.Fingerprint, one.Sequence)}: stored as {one.State}, at "
                + $"{Say(one.Occurred)}, with the head "
                + $"{one.Head?.ToString(CultureInfo.InvariantCulture) ?? "of none"}; "
                + $"the log says at {Say(occurred)}");
    }

    // A rule that fires once, or once a day, has another firing.
    private static bool IsInTheWay(StoredRuleEffect other, Deadline expected) => expected.Rule.Definition.How switch
    {
        RuleFrequency.Once => true,
        RuleFrequency.Daily => other.Occurred.Date == expected.Occurred.Date,
        _ => false,
    };

    private void ReportMissing(string what, Rule rule, string fingerprint, long sequence) =>
        report($"{Describe(what, rule, fingerprint, sequence)}: missing");

    private void ReportUnexpected(StoredRuleEffect one) =>
        report($"{(one.Due is null ? "firing" : "deadline")} of rule {one.Rule} for event {one.Sequence} of "
            + $"'{one.Fingerprint}': stored, the log says none");

    // Silences come first. No event makes one, so nothing of the log can be compared with it.
    private async Task MoveNext()
    {
        do
        {
            next = await stored.MoveNextAsync() ? stored.Current : null;
            if (next is { Due: null }) Firings++;
            if (next?.Fingerprint == Silence.Fingerprint && next.Sequence != Silence.SequenceOf(next.Occurred))
                ReportUnexpected(next);
        }
        while (next?.Fingerprint == Silence.Fingerprint);
    }

    private static string Describe(string what, Rule rule, string fingerprint, long sequence) =>
        $"{what} of rule {rule.Name}, version {rule.Version}, for event {sequence} of '{fingerprint}'";

    private static string Say(DateTime time) => time.ToString("O", CultureInfo.InvariantCulture);

    private static int CompareBytes(string a, string b) =>
        Encoding.UTF8.GetBytes(a).AsSpan().SequenceCompareTo(Encoding.UTF8.GetBytes(b));
}
