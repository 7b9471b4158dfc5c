using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>Checks everything that a run knows against the guarantees.</summary>
internal static class FaultCheck
{
    private const int FingerprintsAskedMax = 2_000;

    /// <summary>The violations: none if the program is right.</summary>
    /// <param name="run">Must have finished.</param>
    /// <param name="findings">The differences between its history and its log.</param>
    public static async Task<List<string>> Violations(FaultRun run, IReadOnlyList<Finding> findings)
    {
        var violations = findings.Select(finding => $"{finding.Kind}: {finding.Text}").ToList();
        if (run.Hangs) violations.Add("hangs: clients are not acknowledged any more");
        foreach (var read in run.Load.History.ReadsBack)
            if (read.IsStale) violations.Add($"stale read: {read}");
            else if (read.Through.EndsWith("no answer", StringComparison.Ordinal)) violations.Add($"no answer: {read}");
        violations.AddRange(run.OutOfOrder.Select(order => $"out of order: {order}"));
        foreach (var silo in run.AllSilos)
        {
            if (silo.ExitCodes.Contains(0)) violations.Add($"{silo.Name} left without being told to");
            if (!silo.IsWanted) continue;
            violations.AddRange((await HistoryCheck.CounterFindings(run.Database, silo.App, FingerprintsAskedMax))
                .Select(found => $"counters through {silo.Name}: {found}"));
            violations.AddRange(
                (await AnswersCheck.Findings(run.Database, silo.App)).Select(found =>
                    $"answers through {silo.Name}: {found}"));
        }
        if (run is { Hangs: false, Rules: { } rules }) violations.AddRange(rules.Violations());
        if (await AppProcess.Verify(run.Database) is { } differs) violations.Add(differs);
        return violations;
    }
}
