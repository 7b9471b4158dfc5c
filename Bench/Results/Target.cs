using Tally.Bench.Parts;

namespace Tally.Bench.Results;

/// <summary>A target that Tally should reach.</summary>
/// <param name="Found">Null if this run did not measure it.</param>
internal sealed record Target(string Measure, double Limit, bool AtLeast, double? Found)
{
    /// <summary>Null if this run did not measure it.</summary>
    public bool? Met => Found is not { } found ? null : AtLeast ? found >= Limit : found <= Limit;

    public static IReadOnlyList<Target> FindAll(Report report)
    {
        double? Ratio(string workload, string other, int? connections = null, string? of = null) =>
            report.EventsPerSecond(workload, "tally", connections) / report.EventsPerSecond(of ?? workload, other,
                connections);
        double? OfThreeSilos(string workload, string other) =>
            report.OwnMicroseconds(workload, Cluster.NameOf(3)) / report.OwnMicroseconds(workload, other);
        return
        [
            AtLeastOf("hot, tally / insert", 5, Ratio("hot", "insert")),
            AtLeastOf("hot, tally / bare", 0.60, Ratio("hot", "bare")),
            AtLeastOf("new, tally / insert", 3, Ratio("new", "insert")),
            AtLeastOf("hot, tally / stock", 8, Ratio("hot", "stock")),
            AtLeastOf("new, tally / stock", 8, Ratio("new", "stock")),
            AtLeastOf("hot, tally / redis, at 256 connections", 0.75, Ratio("hot", "redis", 256)),
            AtLeastOf("batch, tally / one connection's statements of 1,000 rows", 0.5, Ratio("batch", "statements")),
            AtLeastOf("repeats, tally / hot, tally", 0.9, Ratio("repeats", "tally", of: "hot")),
            AtLeastOf("hot with five dimensions, tally / hot, tally", 0.7, Ratio("dimensions", "tally", of: "hot")),
            AtLeastOf("counters, tally / bare", 0.7, Ratio("counters", "bare")),
            AtMostOf("p99 at half capacity, hot, tally / insert", 0.5,
                report.P99("hot", "tally") / report.P99("hot", "insert")),
            AtLeastOf("new at 30 million rows / new at 0", 0.8, report.EventsPerSecond("new", Growth.NameAt(30_000_000))
                / report.EventsPerSecond("new", Growth.NameAt(0))),
            AtMostOf(Totals.Ratio, 1.5, report.Find(Totals.Ratio)?.Value.Median),
            AtLeastOf(Totals.Beside, 0.9, report.Find(Totals.Beside)?.Value.Median),
            AtMostOf("memory: a resident fingerprint, KB", 2, report.Find(Footprint.Resident)?.Value.Median),
            AtMostOf("memory: peak while new fingerprints pass through, MB", 1_000,
                report.Find(Footprint.Peak)?.Value.Median),
            AtMostOf("memory: last tenth of them / the tenth in the middle", 1.1,
                report.Find(Footprint.Flatness)?.Value.Median),
            AtMostOf("processor time an event, hot, 3 silos / 1 silo", 1.3, OfThreeSilos("hot", Cluster.NameOf(1))),
            AtMostOf("processor time an event, new, 3 silos / 1 silo", 1.3, OfThreeSilos("new", Cluster.NameOf(1))),
            AtMostOf("processor time an event, hot, 3 silos / 3 silos apart", 1.3,
                OfThreeSilos("hot", Cluster.NameApart)),
            AtMostOf("processor time an event, new, 3 silos / 3 silos apart", 1.3,
                OfThreeSilos("new", Cluster.NameApart)),
            AtLeastOf("first 5 s / steady", 0.7, report.Find(StartUp.FirstSeconds)?.Value.Median),
        ];
    }

    private static Target AtLeastOf(string measure, double limit, double? found) =>
        new(measure, limit, AtLeast: true, found);

    private static Target AtMostOf(string measure, double limit, double? found) =>
        new(measure, limit, AtLeast: false, found);
}
