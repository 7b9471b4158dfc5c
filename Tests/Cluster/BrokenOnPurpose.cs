using Tally.Tests.Cluster.Breaks;
using Tally.Tests.Cluster.Faults;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>Proves that a fault run finds faults: it must report each of these broken parts.</summary>
[Collection<Clusters>]
public sealed class BrokenOnPurpose
{
    private const int StopSecondsMax = 8;
    private const int StopsMax = 8;

    private const string SameSequenceTwice =
        "select 1 from events group by fingerprint, sequence having count(*) > 1 limit 1";
    private const string SameIdTwice = "select 1 from events group by fingerprint, id having count(*) > 1 limit 1";

    // Silos that know nothing of one another hold the same fingerprints in memory, as a paused silo does when it wakes.
    [Fact]
    public async Task A_log_without_its_fence_is_found()
    {
        await using var run =
            await FaultRun.Start(Seed.Next(), StopSecondsMax, name => new() { ["APP_CLUSTER_ID"] = name });
        await run.Database.Execute("alter table events drop constraint events_pkey");
        await Shows(run, SameSequenceTwice);
        await AssertFinds(run, "is in place");
    }

    [Fact]
    public async Task Acknowledging_before_the_commit_is_found()
    {
        await using var run = await Start(Break.AcknowledgedBeforeCommit);
        await run.Inject(FaultKind.SiloKilled);
        await AssertFinds(run, "Lost");
    }

    [Fact]
    public async Task Forgetting_ids_on_a_reload_is_found()
    {
        await using var run = await Start(Break.NoDedupeAfterReload);
        await run.Database.Execute("alter table events drop constraint events_id_key");
        await run.Inject(FaultKind.SiloKilled);
        await Shows(run, SameIdTwice);
        await AssertFinds(run, "Doubled");
    }

    [Fact]
    public async Task Retrying_blindly_is_found()
    {
        await using var run = await Start(Break.RetriedBlindly);
        await run.Inject(FaultKind.SiloKilled);
        // The front end asks again too, under the same id. The client gets the answer that comes first, so an event may
        // also be lost, or not.
        await AssertFinds(run, "rows of unknown ids");
    }

    [Fact]
    public async Task Answering_without_a_proof_is_found()
    {
        await using var run = await Start(Break.NothingProven);
        // A silo that wakes may be told that it was voted out before anybody has asked it.
        for (var stops = 0; stops < StopsMax && !run.Load.History.ReadsBack.Any(read => read.IsStale); stops++)
            await run.Inject(FaultKind.SiloStopped);
        await AssertFinds(run, "stale read");
    }

    [Fact]
    public async Task A_snapshot_ahead_of_the_log_is_found()
    {
        await using var run = await Start(Break.SnapshotAheadOfLog);
        await run.Inject(FaultKind.SiloTerminated);
        await AssertFinds(run, "app verify");
    }

    private static Task<FaultRun> Start(Break way) =>
        FaultRun.Start(Seed.Next(), StopSecondsMax, _ => StartupHook.EnvironmentOf(way));

    // Keeps the load going until the break has done harm.
    private static Task Shows(FaultRun run, string harm) => Eventually.True(
        async () => (await run.Database.Query(harm, _ => true)).Count > 0, () => $"It does no harm: {run.Load.History}",
        seconds: 120);

    private static async Task AssertFinds(FaultRun run, string violation)
    {
        await run.Finish();
        var violations = await FaultCheck.Violations(run, await HistoryCheck.Findings(run.Load.History, run.Database));
        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{violations.Count} violations: {string.Join('\n', violations.Take(5))}");
        Assert.Contains(violations, found => found.Contains(violation, StringComparison.Ordinal));
    }
}
