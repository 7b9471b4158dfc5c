using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;

namespace Tally.Grains;

/// <summary>
/// Decides what new events become: which sequence each gets, and whether it is a first. A pure function of the
/// committed state and the events; nothing changes until the log has committed the answer.
/// </summary>
/// <param name="rules">In force; null if only firsts are asked for.</param>
public sealed class Decisions(
    string fingerprint, FingerprintState state, int countersMax, Calendar calendar, RuleSet? rules = null)
{
    // Firsts of this run that the committed state does not know yet. Made on the first one: a fingerprint that was
    // active today, with no new product or action, never needs them.
    private Firsts? firsts;
    private sealed class Firsts
    {
        public readonly HashSet<string> Products = [];
        public readonly HashSet<(string Product, string Action)> Counters = [];
        public readonly HashSet<int> Days = [];
        public readonly HashSet<(string Product, int Day)> ProductDays = [];
    }

    private long sequence = state.Sequence;
    private RuleStates? ruleStates = state.Rules;

    /// <summary>The next event, decided, or null where it would begin a counter beyond the limit.</summary>
    public DecidedEvent? Next(Event e)
    {
        var knownCounter = state.FindCounter(e.Product, e.Action) is not null;
        if (!knownCounter && firsts?.Counters.Contains((e.Product, e.Action)) != true)
        {
            if (state.Counters.Count + (firsts?.Counters.Count ?? 0) >= countersMax) return null;
            (firsts ??= new()).Counters.Add((e.Product, e.Action));
        }

        var day = calendar.DayOf(e.Occurred).DayNumber;
        var product = state.FindProduct(e.Product);
        var flags = EventFirsts.None;
        if (sequence == 0) flags |= EventFirsts.OfFingerprint;
        if (product is null && (firsts ??= new()).Products.Add(e.Product)) flags |= EventFirsts.OfProduct;
        if (!state.Days.Contains(day) && (firsts ??= new()).Days.Add(day)) flags |= EventFirsts.OfDay;
        if (product?.Days.Contains(day) != true && (firsts ??= new()).ProductDays.Add((e.Product, day)))
            flags |= EventFirsts.OfProductDay;
        sequence++;
        if (rules?.Mark(e) is not { } marks) return new DecidedEvent(fingerprint, sequence, flags, e);
        var effects = marks.Matches.Count > 0 ? new RuleEffects() : null;
        ruleStates = RuleFold.Fold(ruleStates, marks, fingerprint, sequence, e, effects);
        return new DecidedEvent(fingerprint, sequence, flags, e)
        {
            Marks = marks, Effects = effects is { IsEmpty: false } ? effects : null,
        };
    }
}
