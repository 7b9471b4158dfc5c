using Tally.Grains.EventLog;

namespace Tally.Grains.Rules;

/// <summary>A rule fires at an event.</summary>
public readonly record struct Firing(string Fingerprint, Rule Rule, long Sequence, DateTime Occurred);

/// <summary>If nothing happens until then, the rule fires for the event.</summary>
/// <param name="Due">When its window ends.</param>
public readonly record struct Deadline(
    string Fingerprint, Rule Rule, long Sequence, DateTime Occurred, DateTime Due);

/// <summary>What happened in time: the deadline is gone.</summary>
/// <param name="Sequence">Of the event for which it was set.</param>
/// <param name="By">Of the event that came in time.</param>
public readonly record struct MetDeadline(string Fingerprint, Rule Rule, long Sequence, long By);

/// <summary>What events do to rules, to be recorded with them.</summary>
public sealed class RuleEffects
{
    public List<Firing> Firings { get; } = [];
    public List<Deadline> Deadlines { get; } = [];

    /// <summary>Of deadlines that were set before, or by these same events.</summary>
    public List<MetDeadline> Met { get; } = [];

    public bool IsEmpty => Firings.Count + Deadlines.Count + Met.Count == 0;

    /// <summary>What all events of a batch do; null for nothing, as most do.</summary>
    public static RuleEffects? From(IEnumerable<RecordedEvent> events)
    {
        RuleEffects? all = null;
        foreach (var recorded in events)
            if (recorded is DecidedEvent { Effects: { } effects })
            {
                all ??= new();
                all.Firings.AddRange(effects.Firings);
                all.Deadlines.AddRange(effects.Deadlines);
                all.Met.AddRange(effects.Met);
            }
        return all;
    }
}
