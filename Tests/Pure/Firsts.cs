using CsCheck;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;

namespace Tally.Tests.Pure;

/// <summary>Decision and fold, compared with a model made only of sets and sums.</summary>
public sealed class Firsts
{
    private static readonly DateTime Midnight = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    // Few names and few moments, many of them around a UTC midnight, so that firsts meet repeats.
    private static readonly Gen<DateTime> Moment = Gen.OneOf(
        Gen.Long[-3, 3].Select(ticks => Midnight.AddTicks(ticks * 10)),
        Gen.Long[-2 * 86_400, 2 * 86_400].Select(seconds => Midnight.AddSeconds(seconds)));
    private static readonly Gen<string> Name = Gen.OneOf("a", "b", "c");
    internal static readonly Gen<Event> AnyEvent = Gen.Select(Gen.Guid, Name, Name, Moment,
        (id, action, product, occurred) => new Event(id, action, product, Midnight, occurred, null));

    // Events and how many of them each run takes.
    private static readonly Gen<(Event[] Events, int[] Runs)> History =
        Gen.Select(AnyEvent.Array[0, 40], Gen.Int[1, 7].Array[40]);

    [Fact]
    public void Each_event_is_told_what_it_is_the_first_of() => History.Sample((events, runs) =>
    {
        var (recorded, _) = RecordIn(runs, events);
        var seen = new HashSet<object>();
        foreach (var one in recorded)
        {
            var (product, day) = (one.Event.Product, one.Event.Occurred.Date);
            var expected = (seen.Add("any") ? EventFirsts.OfFingerprint : 0)
                | (seen.Add(("product", product)) ? EventFirsts.OfProduct : 0)
                | (seen.Add(("day", day)) ? EventFirsts.OfDay : 0)
                | (seen.Add((product, day)) ? EventFirsts.OfProductDay : 0);
            Assert.Equal(expected, one.Firsts);
        }
    });

    [Fact]
    public void Runs_decide_the_same_as_one_event_at_a_time() => History.Sample((events, runs) =>
    {
        var (inRuns, state) = RecordIn(runs, events);
        var (inOnes, stateOfOnes) = RecordIn([.. Enumerable.Repeat(1, events.Length)], events);
        Assert.Equal(inOnes, inRuns);
        Assert.True(state.SameAs(stateOfOnes));
    });

    [Fact]
    public void The_fold_counts_what_was_recorded() => History.Sample((events, runs) =>
    {
        var (recorded, state) = RecordIn(runs, events);
        Assert.Equal(Enumerable.Range(1, events.Length).Select(n => (long)n), recorded.Select(one => one.Sequence));
        var view = state.ToView("f");
        Assert.Equal(events.Length, view.Total);
        Assert.Equal(events.Length, view.Sequence);
        if (events.Length == 0) return;
        Assert.Equal((events.Min(e => e.Occurred), events.Max(e => e.Occurred)), (view.FirstSeen, view.LastSeen));
        Assert.Equal(
            events.GroupBy(e => (e.Product, e.Action))
                .Select(group => new CountView(group.Key.Product, group.Key.Action,
            group.Count(), group.Min(e => e.Occurred), group.Max(e => e.Occurred))), view.Counts);
    });

    [Fact]
    public void The_fold_of_the_log_is_the_state() => History.Sample((events, runs) =>
    {
        var (recorded, state) = RecordIn(runs, events);
        var folded = new FingerprintState();
        // as the log returns it
        foreach (var one in recorded) folded.Apply(new(one.Fingerprint, one.Sequence, one.Event), Calendar.Utc);
        Assert.True(folded.SameAs(state));
    });

    [Fact]
    public void States_of_different_logs_differ() =>
        Gen.Select(AnyEvent.Array[1, 6], Gen.Int[0, 5], AnyEvent).Sample((events, at, other) =>
    {
        at %= events.Length;
        var changed = events.ToArray();
        changed[at] = other;
        // A state shows its events only as counts by pair and days by product.
        var sameAnswers = Says(events).SequenceEqual(Says(changed));
        if (!sameAnswers) Assert.False(RecordIn([1], events).State.SameAs(RecordIn([1], changed).State));
    });

    [Fact]
    public void A_copy_is_independent() => Gen.Select(AnyEvent.Array[1, 20], AnyEvent).Sample((events, more) =>
    {
        var (_, state) = RecordIn([5], events);
        var copy = state.Copy();
        Assert.True(copy.SameAs(state));
        state.Apply(new Decisions("f", state, int.MaxValue, Calendar.Utc).Next(more)!, Calendar.Utc);
        Assert.True(copy.SameAs(RecordIn([5], events).State));
    });

    [Fact]
    public void An_event_out_of_its_order_is_not_folded()
    {
        var (recorded, state) = RecordIn([2], [.. Enumerable.Range(0, 2).Select(_ => Harness.EventSamples.View())]);
        Assert.Throws<InvalidOperationException>(() => state.Apply(recorded[1], Calendar.Utc));
    }

    [Fact]
    public void Rollup_deltas_add_up_to_the_same_however_they_are_batched() => History.Sample((events, runs) =>
    {
        var (recorded, _) = RecordIn(runs, events);
        var sums = new Dictionary<RollupKey, RollupCounts>();
        foreach (var batch in Split(recorded, runs))
        {
            var deltas = new RollupDeltas();
            foreach (var one in batch) deltas.Add(one);
            foreach (var (key, counts) in deltas) sums[key] = sums.GetValueOrDefault(key) + counts;
        }
        var expected =
            recorded.GroupBy(one =>
                (one.Event.Occurred.ToString("yyyy-MM-dd HH:mm"), one.Event.Product, one.Event.Action))
            .ToDictionary(group => group.Key, group => new RollupCounts(group.Count(),
                Count(group, EventFirsts.OfFingerprint), Count(group, EventFirsts.OfProduct),
                Count(group, EventFirsts.OfDay), Count(group, EventFirsts.OfProductDay)));
        Assert.Equal(expected, sums.ToDictionary(
            sum => (sum.Key.Minute.ToString("yyyy-MM-dd HH:mm"), sum.Key.Product, sum.Key.Action), sum => sum.Value));
        Assert.All(sums.Keys, key => Assert.Equal(0, key.Minute.Ticks % TimeSpan.TicksPerMinute));
    });

    [Fact]
    public void No_counter_begins_beyond_the_limit() => Gen.Select(History, Gen.Int[1, 9]).Sample((history, max) =>
    {
        var state = new FingerprintState();
        var pairs = new HashSet<(string, string)>();
        foreach (var run in Split(history.Item1, history.Item2))
        {
            var decisions = new Decisions("f", state, max, Calendar.Utc);
            var decided = new List<DecidedEvent>();
            foreach (var e in run)
            {
                var fits = pairs.Contains((e.Product, e.Action)) || pairs.Count < max;
                var next = decisions.Next(e);
                Assert.Equal(fits, next is not null);
                if (next is null) continue;
                pairs.Add((e.Product, e.Action));
                decided.Add(next);
            }
            foreach (var one in decided) state.Apply(one, Calendar.Utc);
        }
        Assert.Equal(pairs.Count, state.Counters.Count);
        Assert.Equal(state.Total, state.Sequence); // a refused event takes no sequence
    });

    private static long Count(IEnumerable<DecidedEvent> group, EventFirsts first) =>
        group.Count(one => one.Firsts.HasFlag(first));

    private static IEnumerable<string> Says(Event[] events) => events
        .Select(e => $"{e.Product} {e.Occurred:yyyy-MM-dd}").Distinct().Order()
        .Concat(events.GroupBy(e => (e.Product, e.Action))
            .Select(g => $"{g.Key} {g.Count()} {g.Min(e => e.Occurred):O} {g.Max(e => e.Occurred):O}"));

    private static (DecidedEvent[] Recorded, FingerprintState State) RecordIn(int[] runs, Event[] events)
    {
        var state = new FingerprintState();
        var recorded = new List<DecidedEvent>();
        foreach (var run in Split(events, runs))
        {
            var decisions = new Decisions("f", state, int.MaxValue, Calendar.Utc);
            var decided = run.Select(e => decisions.Next(e)!).ToList();
            foreach (var one in decided) state.Apply(one, Calendar.Utc);
            recorded.AddRange(decided);
        }
        return ([.. recorded], state);
    }

    private static IEnumerable<T[]> Split<T>(T[] all, int[] sizes)
    {
        for (var (at, i) = (0, 0); at < all.Length; at += sizes[i++ % sizes.Length])
            yield return all[at..Math.Min(all.Length, at + sizes[i % sizes.Length])];
    }
}
