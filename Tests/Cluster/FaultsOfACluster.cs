using System.Diagnostics;
using System.Globalization;
using Tally.Tests.Cluster.Faults;
using Tally.Tests.Harness;

namespace Tally.Tests.Cluster;

/// <summary>
/// The proof that several silos are one service: real processes, real faults, and a history that must hold.
/// TALLY_FAULT_MINUTES makes the run by chance a long one; TALLY_FAULT_REPORT names a file for its table.
/// </summary>
public sealed class FaultsOfACluster
{
    private const int FixedSeed = 20260301;
    private const int KindsInShort = 5;
    private const int StopSecondsMaxShort = 12;
    private const int StopSecondsMaxLong = 40;
    private const int FingerprintsAskedMax = 2_000;

    [Fact]
    public Task No_fault_of_a_fixed_seed_loses_or_doubles_an_event_or_shows_a_stale_read() =>
        Run(FixedSeed, run => run.InjectEach(), StopSecondsMaxShort);

    [Fact]
    public Task No_fault_by_chance_loses_or_doubles_an_event_or_shows_a_stale_read()
    {
        if (!double.TryParse(Environment.GetEnvironmentVariable("TALLY_FAULT_MINUTES"), CultureInfo.InvariantCulture, out var minutes))
            return Run(Seed.Next(), run => run.InjectEach(KindsInShort), StopSecondsMaxShort);
        var length = Stopwatch.StartNew();
        return Run(Seed.Next(), async run =>
        {
            while (length.Elapsed < TimeSpan.FromMinutes(minutes)) await run.InjectEach();
        }, StopSecondsMaxLong);
    }

    private static async Task Run(int seed, Func<FaultRun, Task> inject, int stopSecondsMax)
    {
        await using var run = await FaultRun.Start(seed, stopSecondsMax);
        try
        {
            var clock = Stopwatch.StartNew();
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
            $"Seed {seed}, {took.TotalMinutes:F1} minutes, three silos: {history}.\n\n{FaultReport.Of(run, findings)}");
        TestContext.Current.TestOutputHelper?.WriteLine(report);
        if (Environment.GetEnvironmentVariable("TALLY_FAULT_REPORT") is { Length: > 0 } file)
            await File.AppendAllTextAsync(file, report + "\n");

        Assert.True(findings.Count == 0, $"{findings.Count} findings: {string.Join('\n', findings.Take(10))}");
        var stale = history.ReadsBack.Where(read => read.IsStale).ToList();
        Assert.True(stale.Count == 0, $"{stale.Count} stale reads: {string.Join('\n', stale.Take(10))}");
        Assert.False(run.Hangs, "Clients are not acknowledged any more.");
        Assert.DoesNotContain(history.ReadsBack, read => read.Through.EndsWith("no answer", StringComparison.Ordinal));
        Assert.Empty(run.OutOfOrder);
        Assert.DoesNotContain(0, run.AllSilos.SelectMany(silo => silo.ExitCodes));
        foreach (var silo in run.AllSilos.Where(silo => silo.IsWanted))
            await HistoryCheck.CountersHold(run.Database, silo.App, FingerprintsAskedMax);
        await AppProcess.AssertVerifies(run.Database);
    }

    private static void KeepOutput(FaultRun run)
    {
        var folder = Directory.CreateTempSubdirectory("tally-fault-run-").FullName;
        foreach (var silo in run.AllSilos) File.WriteAllText($"{folder}/{silo.Name}.log", silo.Output);
        TestContext.Current.TestOutputHelper?.WriteLine($"What the silos said is in {folder}.");
    }
}
