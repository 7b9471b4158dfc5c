using System.Diagnostics;
using System.Globalization;
using Tally.Tests.Cluster.Faults;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// Proves that several silos are one service, with real processes, real faults and a history to check. Rules fire
/// meanwhile, and their receiver flaps: each firing is delivered, and none without its event.
/// TALLY_FAULT_MINUTES makes the random run that long, with a silo that joins or leaves every 20 s beside the faults;
/// TALLY_FAULT_REPORT names a file to append its table to.
/// </summary>
[Collection<Clusters>]
public sealed class FaultsOfACluster
{
    private const int FixedSeed = 20260301;
    private const int KindsInShort = 3;
    private const int StopSecondsMaxShort = 8;
    private const int StopSecondsMaxLong = 40;
    private const int ViolationsShownMax = 10;
    private static readonly TimeSpan MoveEvery = TimeSpan.FromSeconds(20);

    [Fact]
    public Task No_fault_of_a_fixed_seed_loses_or_doubles_an_event_or_shows_a_stale_read() =>
        Run(FixedSeed, run => run.InjectEach(), StopSecondsMaxShort);

    [Fact]
    public Task No_fault_by_chance_loses_or_doubles_an_event_or_shows_a_stale_read()
    {
        if (!double.TryParse(Environment.GetEnvironmentVariable("TALLY_FAULT_MINUTES"), CultureInfo.InvariantCulture,
            out var minutes))
            return Run(Seed.Next(), run => run.InjectEach(KindsInShort), StopSecondsMaxShort);
        var length = Stopwatch.StartNew();
        return Run(Seed.Next(), async run =>
        {
            run.JoinAndLeave(MoveEvery);
            while (length.Elapsed < TimeSpan.FromMinutes(minutes)) await run.InjectEach();
        }, StopSecondsMaxLong);
    }

    private static async Task Run(int seed, Func<FaultRun, Task> inject, int stopSecondsMax)
    {
        await using var run = await FaultRun.Start(seed, stopSecondsMax,
            _ => new(RulesOfTheRun.Environment) { ["APP_TIME_ZONE"] = "Europe/Berlin" });
        try
        {
            var clock = Stopwatch.StartNew();
            await run.PutRules(seed);
            await inject(run);
            await run.Finish();
            await Check(run, seed, clock.Elapsed);
        }
        catch
        {
            KeepOutput(run);
            throw;
        }
    }

    private static async Task Check(FaultRun run, int seed, TimeSpan took)
    {
        var history = run.Load.History;
        var findings = await HistoryCheck.Findings(history, run.Database);
        var report = string.Create(CultureInfo.InvariantCulture,
            $"Seed {seed}, {took.TotalMinutes:F1} minutes, three silos, {run.Moves} joins and leaves of a fourth: "
                + $"{history}.\n\n{FaultReport.Of(run, findings)}");
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        if (Environment.GetEnvironmentVariable("TALLY_FAULT_REPORT") is { Length: > 0 } file)
            await File.AppendAllTextAsync(file, report + "\n");

        var violations = await FaultCheck.Violations(run, findings);
        Assert.True(violations.Count == 0,
            $"{violations.Count} violations: {string.Join('\n', violations.Take(ViolationsShownMax))}");
    }

    private static void KeepOutput(FaultRun run)
    {
        var folder = Directory.CreateTempSubdirectory("tally-fault-run-").FullName;
        foreach (var silo in run.AllSilos) File.WriteAllText($"{folder}/{silo.Name}.log", silo.Output);
        TestContext.Current.TestOutputHelper?.WriteLine($"What the silos said is in {folder}.");
    }
}
