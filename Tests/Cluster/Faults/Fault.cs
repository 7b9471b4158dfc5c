using System.Diagnostics;

namespace Tally.Tests.Cluster.Faults;

internal enum FaultKind
{
    SiloKilled,
    SiloStopped,
    SiloTerminated,
    SiloJoinsAndLeaves,
    AllSilosKilled,
    PostgresRestarted,
    BackendsTerminated,
    CutBetweenSilos,
    CutFromPostgres,
}

/// <summary>One fault, from its start until every silo is ready and every probe is acknowledged again.</summary>
internal sealed record Fault(FaultKind Kind, string Hurt, long BeganAt)
{
    public long EndedAt { get; set; } = long.MaxValue;

    /// <summary>The longest time between two acknowledgements, for each fingerprint on the hurt silo.</summary>
    public List<TimeSpan> Unavailable { get; } = [];

    public bool Covers(long at) => at >= BeganAt && at <= EndedAt;

    public override string ToString() =>
        $"{Kind} {Hurt} for {Stopwatch.GetElapsedTime(BeganAt, EndedAt).TotalSeconds:F1} s";
}
