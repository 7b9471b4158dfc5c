using Tally.Grains.EventLog;

namespace Tally.Silo.Storage;

/// <summary>A step of a funnel.</summary>
/// <param name="Text">As the question writes it.</param>
/// <param name="Action">The action of its events.</param>
/// <param name="Filters">Values of properties that its events have.</param>
public sealed record FunnelStep(string Text, string Action, IReadOnlyList<DimensionValue> Filters);

/// <summary>How far fingerprints get in what they do.</summary>
/// <param name="Steps">In their order.</param>
/// <param name="Within">The longest time from the first step to each other one.</param>
/// <param name="From">UTC: the earliest time of a first step.</param>
/// <param name="To">UTC: the first moment after such times.</param>
public sealed record FunnelQuestion(IReadOnlyList<FunnelStep> Steps, TimeSpan Within, DateTime From, DateTime To)
{
    /// <summary>Only events of this product; null for all.</summary>
    public string? Product { get; init; }

    /// <summary>A property. Fingerprints are divided by its value in their earliest first step.</summary>
    public string? By { get; init; }
}

/// <param name="Fingerprints">Different fingerprints that got so far.</param>
/// <param name="SinceFirst">The median of their times since the first step; null for that step, or for nobody.</param>
/// <param name="SincePrevious">The same since the step before.</param>
public sealed record FunnelStepSum(long Fingerprints, TimeSpan? SinceFirst, TimeSpan? SincePrevious);

/// <summary>One sum for each step.</summary>
/// <param name="All">Of all fingerprints.</param>
/// <param name="Values">Of the most frequent values in earliest first steps; one without has null.</param>
/// <param name="Others">Of all other values; null if there are none.</param>
public sealed record FunnelSums(
    IReadOnlyList<FunnelStepSum> All,
    IReadOnlyList<(string? Value, IReadOnlyList<FunnelStepSum> Steps)> Values, IReadOnlyList<FunnelStepSum>? Others);

/// <summary>
/// Counts how far fingerprints got. An attempt begins with each event of the first step, and goes on with the first
/// event after that of the second step, and so on. A fingerprint counts with the attempt that gets furthest; of
/// several, with the one that got there first, and of those that got there with the same event, with the latest.
/// </summary>
/// <remarks>
/// Of all attempts that have got to the same step, the one that began last has the most time left for the next, and
/// meets the same events. So one attempt a step is kept, however many events a fingerprint has.
/// </remarks>
/// <param name="valuesMax">Values that are told apart; fingerprints with others count together.</param>
internal sealed class FunnelScan(FunnelQuestion question, int valuesMax)
{
    private readonly int steps = question.Steps.Count;
    private readonly DimensionSet properties = new(0, [.. NamesIn(question).Distinct()]);
    private readonly List<DimensionValue> values = [];
    private readonly FunnelAttempt[] latest = [.. question.Steps.Select(_ => new FunnelAttempt(question.Steps.Count))];
    private readonly FunnelAttempt best = new(question.Steps.Count);
    private readonly Dictionary<string, FunnelGroup> groups = []; // by value, empty for none
    private readonly FunnelGroup beyond = new(question.Steps.Count);
    private string? fingerprint;
    private string value = "";
    private long number;

    /// <summary>Times that are kept for the medians.</summary>
    public long Times { get; private set; }

    /// <summary>Whether events are needed with their properties.</summary>
    public bool ReadsProperties => properties.Names.Count > 0;

    /// <summary>The next event in the range, by fingerprint, then time and sequence.</summary>
    public void Add(string of, DateTime occurred, string action, string? json)
    {
        if (of != fingerprint) Finish();
        fingerprint = of;
        number++;
        properties.Read(json, values);
        // From the last step on, so that an event is one step of an attempt and not several.
        for (var step = steps - 1; step > 0; step--)
        {
            var before = latest[step - 1];
            if (before.Start <= latest[step].Start || occurred.Ticks - before.Times[0] > question.Within.Ticks
                || !IsOf(step, action)) continue;
            latest[step].Follow(before, step, occurred.Ticks);
            if (best.Length <= step) best.Follow(latest[step], step, occurred.Ticks);
        }
        if (occurred >= question.To || !IsOf(0, action)) return;
        latest[0].Begin(number, occurred.Ticks);
        if (best.Length > 0) return;
        best.Begin(number, occurred.Ticks);
        value = ValueOf(question.By);
    }

    /// <param name="limit">Values with a sum of their own.</param>
    public FunnelSums ToSums(int limit)
    {
        Finish();
        FunnelGroup[] all = [.. groups.Values, beyond];
        if (question.By is null) return new(FunnelGroup.Sum(all, steps), [], null);
        var sorted = groups.OrderByDescending(one => one.Value.Fingerprints[0])
            .ThenBy(one => one.Key, StringComparer.Ordinal).ToList();
        FunnelGroup[] others = [.. sorted.Skip(limit).Select(one => one.Value), beyond];
        return new(FunnelGroup.Sum(all, steps),
            [.. sorted.Take(limit).Select(one =>
                (one.Key.Length == 0 ? null : one.Key, FunnelGroup.Sum([one.Value], steps)))],
            others.Any(one => one.Fingerprints[0] > 0) ? FunnelGroup.Sum(others, steps) : null);
    }

    private void Finish()
    {
        if (best.Length > 0) GroupOf(value).Add(best);
        Times += 2 * Math.Max(best.Length - 1, 0);
        best.Clear();
        foreach (var attempt in latest) attempt.Clear();
    }

    private FunnelGroup GroupOf(string of)
    {
        if (groups.TryGetValue(of, out var group)) return group;
        if (groups.Count >= valuesMax) return beyond;
        groups.Add(of, group = new(steps));
        return group;
    }

    private bool IsOf(int step, string action)
    {
        var asked = question.Steps[step];
        if (action != asked.Action) return false;
        foreach (var filter in asked.Filters)
            if (!values.Contains(filter)) return false;
        return true;
    }

    private string ValueOf(string? property)
    {
        foreach (var one in values)
            if (one.Dimension == property) return one.Value;
        return "";
    }

    private static IEnumerable<string> NamesIn(FunnelQuestion question) =>
        question.Steps.SelectMany(step => step.Filters).Select(filter => filter.Dimension)
            .Concat(question.By is null ? [] : [question.By]);
}

/// <summary>A fingerprint's way through the steps of a funnel.</summary>
internal sealed class FunnelAttempt(int steps)
{
    /// <summary>Ticks of each step so far.</summary>
    public long[] Times { get; } = new long[steps];

    /// <summary>The number of its first event; 0 if it has not begun.</summary>
    public long Start { get; private set; }

    /// <summary>Steps so far.</summary>
    public int Length { get; private set; }

    public void Begin(long number, long time) => (Start, Length, Times[0]) = (number, 1, time);

    /// <summary>Becomes another attempt, with an event of this step after the steps before.</summary>
    public void Follow(FunnelAttempt other, int step, long time)
    {
        Array.Copy(other.Times, Times, step);
        (Start, Length, Times[step]) = (other.Start, step + 1, time);
    }

    public void Clear() => (Start, Length) = (0, 0);
}

/// <summary>Fingerprints that are counted together, with all times between their steps.</summary>
internal sealed class FunnelGroup(int steps)
{
    private readonly List<long>[] sinceFirst = [.. Enumerable.Range(0, steps).Select(_ => new List<long>())];
    private readonly List<long>[] sincePrevious = [.. Enumerable.Range(0, steps).Select(_ => new List<long>())];

    /// <summary>How many got to each step.</summary>
    public long[] Fingerprints { get; } = new long[steps];

    public void Add(FunnelAttempt attempt)
    {
        Fingerprints[0]++;
        for (var step = 1; step < attempt.Length; step++)
        {
            Fingerprints[step]++;
            sinceFirst[step].Add(attempt.Times[step] - attempt.Times[0]);
            sincePrevious[step].Add(attempt.Times[step] - attempt.Times[step - 1]);
        }
    }

    public static IReadOnlyList<FunnelStepSum> Sum(IReadOnlyCollection<FunnelGroup> groups, int steps) =>
    [
        .. Enumerable.Range(0, steps).Select(step => new FunnelStepSum(
            groups.Sum(group => group.Fingerprints[step]),
            Medians.Of([.. groups.SelectMany(group => group.sinceFirst[step])]),
            Medians.Of([.. groups.SelectMany(group => group.sincePrevious[step])]))),
    ];
}
