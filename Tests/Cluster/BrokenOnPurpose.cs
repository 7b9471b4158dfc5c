using Tally.Tests.Cluster.Breaks;
using Tally.Tests.Cluster.Faults;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>The proof of the proof: where one part of the real program is broken, a fault run says so.</summary>
public sealed class BrokenOnPurpose
{
    private const int StopSecondsMax = 8;
    private const int FaultsMax = 16;

    [Fact]
    public Task A_log_without_its_fence_is_found() =>
        IsFound(Break.NoFence, FaultKind.SiloStopped, "is in place", "alter table events drop constraint events_pkey",
            "select 1 from events group by fingerprint, sequence having count(*) > 1 limit 1");

    [Fact]
    public Task Acknowledging_before_the_commit_is_found() =>
        IsFound(Break.AcknowledgedBeforeCommit, FaultKind.SiloKilled, "Lost");

    [Fact]
    public Task Forgetting_ids_on_a_reload_is_found() =>
        IsFound(Break.NoDedupeAfterReload, FaultKind.SiloKilled, "Doubled", "alter table events drop constraint events_id_key");

    [Fact]
    public Task Retrying_blindly_is_found() =>
        IsFound(Break.RetriedBlindly, FaultKind.SiloKilled, "Lost");

    [Fact]
    public Task A_snapshot_ahead_of_the_log_is_found() =>
        IsFound(Break.SnapshotAheadOfLog, FaultKind.SiloTerminated, "app verify");

    /// <param name="way">What is broken.</param>
    /// <param name="by">The fault that has to show it.</param>
    /// <param name="asA">What one of the violations says.</param>
    /// <param name="alsoInDatabase">SQL that breaks the database's part.</param>
    /// <param name="until">Whether a fault did harm may be a race: another one, until this has a row.</param>
    private static async Task IsFound(Break way, FaultKind by, string asA, string? alsoInDatabase = null, string until = "select 1")
    {
        await using var run = await FaultRun.Start(Seed.Next(), StopSecondsMax, StartupHook.EnvironmentOf(way));
        if (alsoInDatabase is not null) await run.Database.Execute(alsoInDatabase);
        for (var faults = 0; faults < FaultsMax && (faults == 0 || (await run.Database.Query(until, _ => true)).Count == 0); faults++)
            await run.Inject(by);
        await run.Finish();
        var violations = await FaultCheck.Violations(run, await HistoryCheck.Findings(run.Load.History, run.Database));
        TestContext.Current.TestOutputHelper?.WriteLine($"{violations.Count} violations: {string.Join('\n', violations.Take(5))}");
        Assert.Contains(violations, violation => violation.Contains(asA, StringComparison.Ordinal));
    }
}
