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

/// <summary>Counts how far fingerprints got.</summary>
/// <param name="valuesMax">Values that are told apart; fingerprints with others count together.</param>
internal sealed class FunnelScan(FunnelQuestion question, int valuesMax)
{
    private readonly int steps = question.Steps.Count;
    private readonly FunnelMatcher matcher = new(question.Steps, question.By);
    private readonly FunnelAttempts attempts = new(question.Steps.Count, question.Within);
    private readonly Dictionary<string, FunnelGroup> groups = []; // by value, empty for none
    private readonly FunnelGroup beyond = new(question.Steps.Count);
    private string? fingerprint;
    private string value = "";
    private long number;

    /// <summary>Times that are kept for the medians.</summary>
    public long Times { get; private set; }

    /// <summary>Whether events are needed with their properties.</summary>
    public bool ReadsProperties => matcher.ReadsProperties;

    /// <summary>The next event in the range, by fingerprint, then time and sequence.</summary>
    public void Add(string of, DateTime occurred, string action, string? json)
    {
        if (of != fingerprint) Finish();
        fingerprint = of;
        number++;
        var isOf = matcher.Match(action, json);
        attempts.Follow(isOf, occurred.Ticks, number);
        if (occurred >= question.To || !FunnelMatcher.IsFirst(isOf)) return;
        if (attempts.Best.Length == 0) value = matcher.ValueOf(question.By);
        attempts.Begin(number, occurred.Ticks, number);
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
        if (attempts.Best.Length > 0) Times += GroupOf(value).Add(attempts.Best.Times.AsSpan(0, attempts.Best.Length));
        attempts.Clear();
    }

    private FunnelGroup GroupOf(string of)
    {
        if (groups.TryGetValue(of, out var group)) return group;
        if (groups.Count >= valuesMax) return beyond;
        groups.Add(of, group = new(steps));
        return group;
    }
}

/// <summary>Fingerprints that are counted together, with all times between their steps.</summary>
internal sealed class FunnelGroup(int steps)
{
    private readonly List<long>[] sinceFirst = [.. Enumerable.Range(0, steps).Select(_ => new List<long>())];
    private readonly List<long>[] sincePrevious = [.. Enumerable.Range(0, steps).Select(_ => new List<long>())];

    /// <summary>How many got to each step.</summary>
    public long[] Fingerprints { get; } = new long[steps];

    /// <param name="times">Ticks of each step so far.</param>
    /// <returns>Times that are kept of it.</returns>
    public int Add(ReadOnlySpan<long> times)
    {
        Fingerprints[0]++;
        for (var step = 1; step < times.Length; step++)
        {
            Fingerprints[step]++;
            sinceFirst[step].Add(times[step] - times[0]);
            sincePrevious[step].Add(times[step] - times[step - 1]);
        }
        return 2 * (times.Length - 1);
    }

    public static IReadOnlyList<FunnelStepSum> Sum(IReadOnlyCollection<FunnelGroup> groups, int steps) =>
    [
        .. Enumerable.Range(0, steps).Select(step => new FunnelStepSum(
            groups.Sum(group => group.Fingerprints[step]),
            Medians.Find([.. groups.SelectMany(group => group.sinceFirst[step])]),
            Medians.Find([.. groups.SelectMany(group => group.sincePrevious[step])]))),
    ];
}
