using System.Globalization;
using Tally.Bench.Parts;

namespace Tally.Bench.Results;

/// <summary>The charts of docs/performance.md, from the figures of one report.</summary>
internal static class Charts
{
    private static readonly (string Contender, string Name)[] Compared =
    [
        ("bare", "HTTP server alone, nothing recorded"),
        ("redis", "Redis, flushed: counters only"),
        ("tally", "Tally: log, counters, exactly once"),
        ("insert", "One INSERT an event: log only"),
        ("stock", "Orleans grain, state written each time"),
    ];

    /// <summary>By the names of their files; only those for which there are figures.</summary>
    public static IEnumerable<(string Name, BarChart Chart)> Draw(Report report)
    {
        var hot = AtMostConnections(report, "hot");
        var compared = from one in Compared
                       join found in hot on one.Contender equals found.Contender
                       let value = found.EventsPerSecond.Median
                       orderby value descending
                       let text = Number(value)
                       select one.Contender == "tally" ? new Bar(one.Name, value, 0, text)
                           : new Bar(one.Name, 0, value, text);
        if (hot.Any(t => t.Contender == "tally"))
            yield return ("performance", new("Events per second, 1,000 returning visitors, more is better",
                Conditions(report, hot), [.. compared]));

        var clusters = hot.Concat(AtMostConnections(report, "new")).Where(Cluster.IsOne).ToList();
        if (clusters.Count > 0)
            yield return ("cluster",
                new("Processor time an event, all silos (blue) and PostgreSQL (grey), less is better",
                    Conditions(report, clusters), [.. clusters.Select(CostBar)]));
    }

    private static Bar CostBar(Throughput of)
    {
        var (own, database) = (of.OwnMicroseconds.Median, of.DatabaseMicroseconds.Median);
        return new($"{of.Workload}, {Cluster.SizeOf(of)}", own, database,
            $"{Number(own)} + {Number(database)} us, {Number(of.EventsPerSecond.Median)}/s");
    }

    private static List<Throughput> AtMostConnections(Report report, string workload) =>
        [.. report.Throughputs.Where(t => t.Workload == workload).GroupBy(t => t.Contender)
            .Select(of => of.MaxBy(t => t.Connections)!)];

    private static string Conditions(Report report, List<Throughput> shown) =>
        $"{report.Conditions.GetValueOrDefault("machine")?.Split(',')[0]} for servers, PostgreSQL and clients "
        + $"together; {shown.Max(t => t.Connections)} connections";

    // No more digits than mean something.
    private static string Number(double value)
    {
        var step = Math.Pow(10, Math.Max(0, Math.Floor(Math.Log10(Math.Max(value, 1))) - 2));
        return (Math.Round(value / step) * step).ToString("N0", CultureInfo.InvariantCulture);
    }
}
