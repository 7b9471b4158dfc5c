using Tally.Grains.Rules;

namespace Tally.Tests.Harness;

/// <summary>An event, as far as one rule sees it.</summary>
public sealed record RuleEvent(long Sequence, DateTime Occurred, bool IsFirst, bool IsOther);

/// <summary>A deadline, and the event that met it.</summary>
public sealed record ModelDeadline(long Sequence, DateTime Occurred, DateTime Due, long? MetBy);

/// <summary>
/// What a rule does with a whole history, by looking at all of it again for each event: slow, and nothing is kept.
/// </summary>
public static class RuleModel
{
    /// <summary>The sequences of the events at which a rule fires.</summary>
    public static List<long> Firings(RuleDefinition rule, IReadOnlyList<RuleEvent> history)
    {
        var reached = rule.Kind switch
        {
            RuleKind.First => history.Where(e => e.IsFirst).Take(1),
            RuleKind.Every => history.Where(e => e.IsFirst).Where((_, i) => (i + 1) % rule.Number == 0),
            RuleKind.Times => Times(rule, history),
            RuleKind.Then => Then(rule, history),
            _ => [],
        };
        var fired = new List<RuleEvent>();
        foreach (var e in reached)
            if (rule.How == RuleFrequency.Each
                || rule.How == RuleFrequency.Once && fired.Count == 0
                || rule.How == RuleFrequency.Daily && fired.TrueForAll(one => one.Occurred.Date < e.Occurred.Date))
                fired.Add(e);
        return fired.ConvertAll(e => e.Sequence);
    }

    private static IEnumerable<RuleEvent> Times(RuleDefinition rule, IReadOnlyList<RuleEvent> history)
    {
        long begin = 0;
        foreach (var e in history.Where(e => e.IsFirst))
        {
            var newest = history.Where(one => one.IsFirst && one.Sequence > begin && one.Sequence <= e.Sequence)
                .Select(one => one.Occurred).OrderDescending().Take(rule.Number).ToList();
            if (newest.Count < rule.Number || newest[0] - newest[^1] > rule.Within) continue;
            begin = e.Sequence;
            yield return e;
        }
    }

    private static IEnumerable<RuleEvent> Then(RuleDefinition rule, IReadOnlyList<RuleEvent> history)
    {
        long begin = 0; // its own first event counts for the next firing
        foreach (var e in history.Where(e => e.IsOther))
        {
            var before = history.Where(one => one.IsFirst && one.Sequence >= begin && one.Sequence < e.Sequence)
                .Select(one => (DateTime?)one.Occurred).Max();
            if (before is null || e.Occurred < before || e.Occurred - before > rule.Within) continue;
            begin = e.Sequence;
            yield return e;
        }
    }

    /// <summary>The deadlines that a rule sets.</summary>
    public static List<ModelDeadline> Deadlines(RuleDefinition rule, IReadOnlyList<RuleEvent> history)
    {
        var deadlines = new List<ModelDeadline>();
        if (rule.Kind != RuleKind.Without) return deadlines;
        foreach (var e in history.Where(e => e.IsFirst))
        {
            if (deadlines is [.., var last])
            {
                // the first event in its window until now: nothing after a later deadline counts for it
                last = last with
                {
                    MetBy = history.FirstOrDefault(one => one.IsOther && one.Sequence > last.Sequence
                        && one.Sequence <= e.Sequence && one.Occurred >= last.Occurred && one.Occurred <= last.Due)
                        ?.Sequence,
                };
                deadlines[^1] = last;
                if (last.MetBy is null && e.Occurred <= last.Due) continue;
            }
            deadlines.Add(new(e.Sequence, e.Occurred, e.Occurred + rule.Within, null));
        }
        if (deadlines is [.., { MetBy: null } open])
            deadlines[^1] = open with
            {
                MetBy = history.FirstOrDefault(one => one.IsOther && one.Sequence > open.Sequence
                    && one.Occurred >= open.Occurred && one.Occurred <= open.Due)?.Sequence,
            };
        return deadlines;
    }
}
