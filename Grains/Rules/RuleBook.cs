using System.Collections.Concurrent;

namespace Tally.Grains.Rules;

/// <summary>
/// All rules that a silo knows, with every set that was ever in force: the log names them. It is filled from the
/// database, about once a second, and whenever the log names a set that it does not know.
/// </summary>
public sealed class RuleBook
{
    private readonly Lock gate = new();
    private readonly Dictionary<int, Rule> rules = [];
    private readonly ConcurrentDictionary<int, RuleSet> sets = new() { [0] = RuleSet.None };
    private volatile RuleSet current = RuleSet.None;
    private (int Rule, int Set) known;

    /// <summary>The newest set, by which events are decided.</summary>
    public RuleSet Current => current;

    /// <summary>Null for one that is not known.</summary>
    public RuleSet? Find(int set) => sets.GetValueOrDefault(set);

    /// <summary>The highest id that was read, of rules and of sets.</summary>
    public (int Rule, int Set) Known
    {
        get
        {
            lock (gate) return known;
        }
    }

    /// <summary>Adds what was read: all rules that a set names come with it or came before.</summary>
    /// <param name="read">Versions of rules.</param>
    /// <param name="named">Sets, as the ids of their rules.</param>
    public void Add(IEnumerable<Rule> read, IEnumerable<(int Id, IReadOnlyList<int> Rules)> named)
    {
        lock (gate)
        {
            foreach (var rule in read)
            {
                rules[rule.Id] = rule;
                known.Rule = Math.Max(known.Rule, rule.Id);
            }
            foreach (var (id, members) in named)
            {
                if (id <= known.Set) continue; // another read was faster
                known.Set = id;
                var set = new RuleSet(id, [.. members.Where(rules.ContainsKey).Select(rule => rules[rule])]);
                sets[id] = set;
                current = set;
            }
        }
    }

    /// <summary>Notes a set that the log names and the database does not have: no program has made it. A proof reports
    /// what its events should match.</summary>
    public void AddUnknown(int set) => sets.TryAdd(set, new(set, []));
}
