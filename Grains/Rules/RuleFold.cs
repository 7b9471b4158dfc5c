using Tally.Contracts;

namespace Tally.Grains.Rules;

/// <summary>
/// Folds events into a fingerprint's rule states, and says what they do. Windows go by when events occurred, in the
/// order in which they were recorded: a late event counts when it is recorded, at the time at which it occurred.
/// </summary>
public static class RuleFold
{
    /// <summary>Folds in the next event of the log.</summary>
    /// <param name="before">Null while no rule concerns the fingerprint.</param>
    /// <param name="marks">Of the event; null if it was decided before there was any rule.</param>
    /// <param name="effects">Gets what the event does; null if nobody asks.</param>
    public static RuleStates? Fold(RuleStates? before, EventMarks? marks, string fingerprint, long sequence,
        Event e, RuleEffects? effects = null)
    {
        if (marks is null || before is null && marks.Matches.Count == 0) return null;
        var states = before is null ? []
            : before.Set == marks.Set.Id ? before.States
            : Array.FindAll(before.States, state => marks.Set.Find(state.Rule) is not null);
        foreach (var match in marks.Matches)
        {
            if (marks.Set.Find(match.Rule) is not { } rule) continue;
            var place = Array.FindIndex(states, state => state.Rule == rule.Id);
            var state = place < 0 ? new() { Rule = rule.Id } : states[place];
            var next = new Step(rule, fingerprint, sequence, e.Occurred, effects).Fold(state, match.Clauses);
            if (ReferenceEquals(next, state)) continue;
            if (place < 0) states = [.. states, next];
            else
            {
                if (ReferenceEquals(states, before?.States)) states = [.. states]; // others may hold it
                states[place] = next;
            }
        }
        if (states.Length == 0) return null;
        return ReferenceEquals(states, before?.States) && before!.Set == marks.Set.Id ? before
            : new() { Set = marks.Set.Id, States = states };
    }

    /// <summary>One event for one rule.</summary>
    private readonly record struct Step(
        Rule Rule, string Fingerprint, long Sequence, DateTime Occurred, RuleEffects? Effects)
    {
        private RuleDefinition Definition => Rule.Definition;

        public RuleState Fold(RuleState state, int clauses)
        {
            // It has fired for good. How often one of Without fires is up to the clock, which alone knows if it did.
            if (Definition.How == RuleFrequency.Once && state.FiredOn > 0) return state;
            var isFirst = (clauses & RuleMatch.First) != 0;
            // An event may be both: first it ends what waits, then it waits itself.
            if ((clauses & RuleMatch.Other) != 0)
                state = Definition.Kind == RuleKind.Then ? Follow(state) : Meet(state);
            if (!isFirst) return state;
            return Definition.Kind switch
            {
                RuleKind.First => state.Count > 0 ? state : Fire(state with { Count = 1 }),
                RuleKind.Every => Count(state),
                RuleKind.Times => Gather(state),
                RuleKind.Then => Wait(state),
                _ => SetDeadline(state),
            };
        }

        private RuleState Count(RuleState state) => state.Count + 1 < Definition.Number
            ? state with { Count = state.Count + 1 } : Fire(state with { Count = 0 });

        // Only the n newest count, by when they occurred: so few that a late event can make no others matter.
        private RuleState Gather(RuleState state)
        {
            var newest = state.Times.Length > 0 && state.Times[^1] > Occurred ? state.Times[^1] : Occurred;
            var within = Definition.Within;
            DateTime[] times = [.. state.Times.Append(Occurred).Where(time => newest - time <= within).Order()];
            return times.Length < Definition.Number ? state with { Times = times } : Fire(state with { Times = [] });
        }

        // The newest of the first events waits, by when it occurred.
        private RuleState Wait(RuleState state) => state.Waiting > 0 && state.Since >= Occurred ? state
            : state with { Waiting = Sequence, Since = Occurred };

        private RuleState Follow(RuleState state) => !IsInWindow(state) ? state
            : Fire(state with { Waiting = 0, Since = default });

        // While one waits, others set no deadline.
        private RuleState SetDeadline(RuleState state)
        {
            if (state.Waiting > 0 && Occurred - state.Since <= Definition.Within) return state;
            Effects?.Deadlines.Add(new(Fingerprint, Rule, Sequence, Occurred, Occurred + Definition.Within));
            return state with { Waiting = Sequence, Since = Occurred };
        }

        private RuleState Meet(RuleState state)
        {
            if (!IsInWindow(state)) return state;
            Effects?.Met.Add(new(Fingerprint, Rule, state.Waiting, Sequence));
            return state with { Waiting = 0, Since = default };
        }

        private bool IsInWindow(RuleState state) => state.Waiting > 0 && Occurred >= state.Since
            && Occurred - state.Since <= Definition.Within;

        private RuleState Fire(RuleState state)
        {
            var day = DateOnly.FromDateTime(Occurred).DayNumber + 1;
            if (Definition.How == RuleFrequency.Daily && day <= state.FiredOn) return state; // or a later day had one
            Effects?.Firings.Add(new(Fingerprint, Rule, Sequence, Occurred));
            return Definition.How == RuleFrequency.Each ? state : state with { FiredOn = day };
        }
    }
}
