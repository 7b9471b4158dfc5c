using System.Globalization;
using System.Text;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster.Faults;

/// <summary>
/// A run's result as a Markdown table: a line for each kind of fault, one for the time in between and one for all; and
/// what rules did.
/// </summary>
internal static class FaultReport
{
    private const string Head = """
        | fault | times | acknowledged | lost | doubled | reads back | stale | 503 | broken | away, median | worst |
        |---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|

        """;

    public static string Of(FaultRun run, IReadOnlyList<Finding> findings)
    {
        var attempts = run.Load.History.All.ToLookup(attempt => KindAt(run, attempt.EndedAt, attempt.EndedAt));
        var reads = run.Load.History.ReadsBack.ToLookup(read => KindAt(run, read.SentAt, read.EndedAt));
        var table = new StringBuilder(Head);
        foreach (var kind in Enum.GetValues<FaultKind>())
        {
            var faults = run.Faults.Where(fault => fault.Kind == kind).ToList();
            if (run.NotRun.Contains(kind))
                table.AppendLine(CultureInfo.InvariantCulture, $"| {Words(kind)} | not run | | | | | | | | | |");
            else if (faults.Count > 0)
                table.AppendLine(Line(Words(kind), faults, [.. attempts[kind]], [.. reads[kind]]));
        }
        table.AppendLine(Line("between faults", [], [.. attempts[null]], [.. reads[null]]));
        string Count(FindingKind kind) => $"{findings.Count(found => found.Kind == kind)}";
        return table.AppendLine(Line("**all**", run.Faults, run.Load.History.All, [.. run.Load.History.ReadsBack],
            Count(FindingKind.Lost), Count(FindingKind.Doubled)))
            .AppendLine(run.Rules is { } rules ? $"\nRules: {rules}" : "").ToString();
    }

    private static string Line(string name, List<Fault> faults, IReadOnlyCollection<Attempt> attempts,
        IReadOnlyCollection<ReadBack> reads, string lost = "", string doubled = "")
    {
        int Count(AttemptOutcome outcome) => attempts.Count(attempt => attempt.Outcome == outcome);
        var unavailable = faults.SelectMany(fault => fault.Unavailable).Order().ToList();
        string[] cells =
        [
            name, $"{(faults.Count > 0 ? faults.Count : "")}", $"{Count(AttemptOutcome.Acknowledged)}", lost, doubled,
            $"{reads.Count(read => read.Seen is not null)}", $"{reads.Count(read => read.IsStale)}",
            $"{Count(AttemptOutcome.Refused)}", $"{Count(AttemptOutcome.NoReply) + Count(AttemptOutcome.NotConnected)}",
            unavailable.Count > 0 ? Seconds(unavailable[unavailable.Count / 2]) : "",
            unavailable.Count > 0 ? Seconds(unavailable[^1]) : "",
        ];
        return $"| {string.Join(" | ", cells)} |";
    }

    private static FaultKind? KindAt(FaultRun run, long from, long to) =>
        run.Faults.FirstOrDefault(fault => fault.BeganAt <= to && fault.EndedAt >= from)?.Kind;

    private static string Seconds(TimeSpan time) =>
        string.Create(CultureInfo.InvariantCulture, $"{time.TotalSeconds:F1} s");

    private static string Words(FaultKind kind) => kind switch
    {
        FaultKind.SiloKilled => "silo killed (-9)",
        FaultKind.SiloStopped => "silo stopped and woken",
        FaultKind.SiloTerminated => "silo terminated",
        FaultKind.SiloJoinsAndLeaves => "silo joins and leaves",
        FaultKind.AllSilosKilled => "all silos killed at once",
        FaultKind.PostgresRestarted => "Postgres restarted, immediate",
        FaultKind.BackendsTerminated => "backends terminated",
        FaultKind.CutBetweenSilos => "cut between two silos",
        FaultKind.CutFromPostgres => "cut from Postgres",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };
}
