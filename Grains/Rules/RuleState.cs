namespace Tally.Grains.Rules;

/// <summary>
/// How far a fingerprint is with one rule. Stored bytes are read for ever: members may be added with new ids, never
/// changed or reused.
/// </summary>
[GenerateSerializer, Immutable, Alias("tally.RuleState")]
public sealed record RuleState
{
    /// <summary>The id of the rule's version.</summary>
    [Id(0)] public required int Rule { get; init; }

    /// <summary>Events since the last multiple of n; of the first event, 1 once it was there.</summary>
    [Id(1)] public int Count { get; init; }

    /// <summary>
    /// The number of the newest day on which it fired, plus 1; 0 for never, or if that does not matter.
    /// </summary>
    [Id(2)] public int FiredOn { get; init; }

    /// <summary>When the newest events of the window occurred, oldest first; fewer than n.</summary>
    [Id(3)] public DateTime[] Times { get; init; } = [];

    /// <summary>The sequence of the event that waits for another, or for its window's end; 0 for none.</summary>
    [Id(4)] public long Waiting { get; init; }

    /// <summary>When that event occurred.</summary>
    [Id(5)] public DateTime Since { get; init; }

    public bool SameAs(RuleState other) =>
        this with { Times = [] } == other with { Times = [] } && Times.SequenceEqual(other.Times);
}

/// <summary>
/// How far a fingerprint is with the rules that were in force at its last event. What it holds of others is forgotten
/// with the first event after they end.
/// </summary>
[GenerateSerializer, Immutable, Alias("tally.RuleStates")]
public sealed record RuleStates
{
    /// <summary>The set of the last event.</summary>
    [Id(0)] public required int Set { get; init; }

    /// <summary>At least one.</summary>
    [Id(1)] public required RuleState[] States { get; init; }

    public bool SameAs(RuleStates? other) => other is not null && Set == other.Set
        && States.Length == other.States.Length
        && States.Zip(other.States).All(pair => pair.First.SameAs(pair.Second));
}
