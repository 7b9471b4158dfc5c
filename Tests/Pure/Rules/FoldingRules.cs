using System.Text.Json;
using CsCheck;
using Microsoft.Extensions.DependencyInjection;
using Orleans.Serialization;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Rules;
using Tally.Tests.Harness;

namespace Tally.Tests.Pure.Rules;

/// <summary>What rules do follows from the log alone, however it is cut into runs, stored and read again.</summary>
public sealed class FoldingRules
{
    private static readonly DateTime Begin = new(2026, 3, 1, 22, 0, 0, DateTimeKind.Utc); // days end among the events

    private static readonly Gen<RuleDefinition> AnyRule =
        Gen.Select(Gen.Enum<RuleKind>(), Gen.Int[2, 5], Gen.Int[1, 90], Gen.Enum<RuleFrequency>(), Gen.Bool)
            .Select((kind, number, minutes, how, isFiltered) => new RuleDefinition(
                Pattern("a", isFiltered), kind,
                kind is RuleKind.Every or RuleKind.Times ? number : 0,
                kind is RuleKind.First or RuleKind.Every ? default : TimeSpan.FromMinutes(minutes),
                kind is RuleKind.Then or RuleKind.Without ? Pattern("b", isFiltered: false) : null, how, null));

    // Of the same event, so that it may be both.
    private static readonly Gen<RuleDefinition> SelfRule = Gen.Select(AnyRule, Gen.Bool).Select((rule, isSelf) =>
        isSelf && rule.Other is not null ? rule with { Other = Pattern("a", isFiltered: false) } : rule);

    private static readonly Gen<(RuleDefinition[] Rules, Event[] Events, int[] Runs, int Change)> Histories =
        Gen.Select(SelfRule.Array[1, 4], Gen.Select(Gen.Int[0, 240], Gen.Int[0, 3], Gen.Bool).Array[1, 40],
            Gen.Int[1, 6].Array[40], Gen.Int[0, 40]).Select((rules, events, runs, change) => (rules,
                events.Select(e => new Event(Guid.NewGuid(), "aabc"[e.Item2].ToString(), "p", Begin,
                    Begin.AddMinutes(e.Item1), e.Item3 ? """{"x":1.0,"y":[{}]}""" : null)).ToArray(), runs, change));

    private static EventPattern Pattern(string action, bool isFiltered) =>
        new("p", action, isFiltered ? [new("x", JsonElement.Parse("1"))] : []);

    [Fact]
    public void A_history_does_what_the_model_says() => Histories.Sample((rules, events, runs, _) =>
    {
        var set = new RuleSet(1, [.. rules.Select((rule, i) => new Rule(i + 1, $"r{i + 1}", 1, rule))]);
        var (decided, _) = Run(events, runs, _ => set);
        foreach (var rule in set.Rules) AssertModel(rule, decided);
    }, iter: 3_000);

    // A rule that stays goes on; one that is new begins, and one that comes again begins anew.
    [Fact]
    public void Rules_that_change_count_from_their_own_moment() => Histories.Sample((rules, events, runs, change) =>
    {
        Rule[] all = [.. rules.Select((rule, i) => new Rule(i + 1, $"r{i + 1}", 1, rule))];
        var (before, after) = (new RuleSet(1, [.. all.Take(2)]), new RuleSet(2, [.. all.Skip(1)]));
        var (decided, _) = Run(events, runs, sequence => sequence < change ? before : after);
        foreach (var rule in all.Skip(1))
            AssertModel(rule, [.. decided.Where(e => e.Marks!.Set.Find(rule.Id) is not null)]);
    }, iter: 1_000);

    // As a load, a snapshot and a pruning do: from any point on, from stored marks, without properties.
    [Fact]
    public void A_fold_of_what_is_stored_is_the_same() => Histories.Sample((rules, events, runs, change) =>
    {
        var set = new RuleSet(1, [.. rules.Select((rule, i) => new Rule(i + 1, $"r{i + 1}", 1, rule))]);
        var (decided, state) = Run(events, runs, _ => set);
        var folded = new FingerprintState();
        foreach (var e in decided)
        {
            if (e.Sequence == change) folded = Stored(folded);
            folded.Apply(new RecordedEvent("f", e.Sequence, e.Event with { Properties = null })
            {
                Marks = EventMarks.Parse(set, e.Marks!.Text),
            }, Calendar.Utc);
        }
        Assert.True(folded.SameAs(state));
        Assert.True(Stored(folded).SameAs(state));
        if (decided.TrueForAll(e => e.Marks!.Matches.Count == 0)) Assert.Null(state.Rules);
    }, iter: 1_000);

    [Fact]
    public void What_a_fingerprint_keeps_is_bounded()
    {
        var times = new RuleDefinition(Pattern("a", false), RuleKind.Times, RuleReader.TimesMax,
            RuleReader.WithinMax, null, RuleFrequency.Each, null);
        var set = new RuleSet(1, [new(1, "r", 1, times)]);
        var state = new FingerprintState();
        for (var i = 1; i <= 1_000; i++)
        {
            var e = new Event(Guid.NewGuid(), "a", "p", Begin, Begin.AddSeconds(i * 40_000), null);
            state.Apply(new Decisions("f", state, 9, Calendar.Utc, set).Next(e)!, Calendar.Utc);
            Assert.InRange(state.Rules!.States.Single().Times.Length, 1, 99);
        }
    }

    private static (List<DecidedEvent> Decided, FingerprintState State) Run(
        Event[] events, int[] runs, Func<int, RuleSet> rules)
    {
        var state = new FingerprintState();
        var decided = new List<DecidedEvent>();
        for (var (place, run) = (0, 0); place < events.Length; run++)
        {
            var decisions = new Decisions("f", state, 100, Calendar.Utc, rules(place));
            var some = events.Skip(place).Take(runs[run]).Select(e => decisions.Next(e)!).ToList();
            foreach (var one in some) state.Apply(one, Calendar.Utc);
            decided.AddRange(some);
            place += some.Count;
        }
        return (decided, state);
    }

    private static void AssertModel(Rule rule, List<DecidedEvent> decided)
    {
        bool Is(EventPattern? pattern, Event e) => pattern is not null && pattern.Action == e.Action
            && (pattern.Where.Count == 0 || e.Properties is not null);
        var history = decided.ConvertAll(e => new RuleEvent(e.Sequence, e.Event.Occurred,
            Is(rule.Definition.Event, e.Event), Is(rule.Definition.Other, e.Event)));
        List<RuleEffects> effects = [.. decided.Select(e => e.Effects).OfType<RuleEffects>()];
        Assert.Equal(RuleModel.Firings(rule.Definition, history),
            effects.SelectMany(one => one.Firings).Where(one => one.Rule == rule).Select(one => one.Sequence));
        var met = effects.SelectMany(one => one.Met).Where(one => one.Rule == rule)
            .ToDictionary(one => one.Sequence, one => (long?)one.By);
        Assert.Equal(RuleModel.Deadlines(rule.Definition, history),
            effects.SelectMany(one => one.Deadlines).Where(one => one.Rule == rule)
                .Select(one => new ModelDeadline(one.Sequence, one.Occurred, one.Due,
                    met.GetValueOrDefault(one.Sequence))));
    }

    private static readonly Serializer<FingerprintState> Serializer = new ServiceCollection().AddSerializer()
        .BuildServiceProvider().GetRequiredService<Serializer<FingerprintState>>();

    private static FingerprintState Stored(FingerprintState state) =>
        Serializer.Deserialize(Serializer.SerializeToArray(state))!;
}
