using Tally.Bench.Workloads;

namespace Tally.Bench;

/// <summary>The parts of a run.</summary>
internal enum Part { Compare, StartUp, Client, Footprint, Growth, Totals, Cluster, Layouts }

/// <summary>What a run measures, and for how long.</summary>
/// <param name="Contenders">Their names.</param>
/// <param name="WarmUp">How long each contender warms up for each workload.</param>
/// <param name="Turn">How long each contender is measured at a time.</param>
/// <param name="Quiet">How long a turn waits at most for the work that the one before left behind.</param>
/// <param name="RowCounts">The event log's lengths, for growth.</param>
/// <param name="TotalsRowCounts">The event log's lengths, for totals.</param>
/// <param name="LayoutRowCounts">The event log's lengths, for layouts.</param>
/// <param name="Layouts">The names of those that are measured.</param>
/// <param name="Silos">The number of silos in each cluster that is measured.</param>
/// <param name="ResidentFingerprints">How many become resident, to measure the memory of one.</param>
/// <param name="PassingFingerprints">How many new ones pass through, to see whether memory stays flat.</param>
internal sealed record Settings(
    IReadOnlyList<Part> Parts, IReadOnlyList<Workload> Workloads, IReadOnlyList<string> Contenders,
    IReadOnlyList<int> Connections,
    int Turns, TimeSpan Turn, TimeSpan WarmUp, TimeSpan Quiet,
    IReadOnlyList<int> RowCounts, IReadOnlyList<int> TotalsRowCounts,
    IReadOnlyList<int> LayoutRowCounts, IReadOnlyList<string> Layouts, IReadOnlyList<int> Silos,
    int ResidentFingerprints, int PassingFingerprints);
