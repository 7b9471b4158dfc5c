using System.Globalization;
using System.Runtime.InteropServices;
using Tally.Bench.Contenders;
using Tally.Bench.Parts;
using Tally.Bench.Results;
using Tally.Tests.Harness;

namespace Tally.Bench;

/// <summary>One run from its start to its report.</summary>
internal static class BenchRun
{
    /// <returns>The exit code: 0 even if a target is missed, because that is for the reader to judge.</returns>
    public static async Task<int> Run(Settings settings, string? app, string? db, string output,
        CancellationToken cancellation)
    {
        await using var ground = await Ground.Prepare(app, db);
        var report = new Report();
        await Describe(report, settings, ground);
        var turns = new Turns(settings, ground, report);
        foreach (var part in settings.Parts)
        {
            Console.Error.WriteLine(part);
            try
            {
                await (part switch
                {
                    Part.Compare => Comparison.Run(settings, ground, turns, report, cancellation),
                    Part.StartUp => StartUp.Run(settings, ground, report, cancellation),
                    Part.Client => ClientCheck.Run(settings, ground, report, cancellation),
                    Part.Footprint => Footprint.Run(settings, ground, report, cancellation),
                    Part.Growth => Growth.Run(settings, ground, turns, cancellation),
                    Part.Totals => Totals.Run(settings, ground, report, cancellation),
                    Part.Cluster => Cluster.Run(settings, ground, turns, report, cancellation),
                    Part.Layouts => Layouts.Run(settings, ground, turns, report, cancellation),
                    _ => throw new ArgumentOutOfRangeException(nameof(settings)),
                });
            }
            finally
            {
                await report.Write(output); // so that a long run that breaks off leaves what it has
            }
        }
        Console.WriteLine(Markdown.Write(report));
        return 0;
    }

    private static async Task Describe(Report report, Settings settings, Ground ground)
    {
        var memory = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >> 30;
        var (_, commit) = await Commands.Try("git", "-C", Repository.Root, "describe", "--always", "--dirty");
        report.Conditions["machine"] =
            $"{Environment.ProcessorCount} processors, {memory} GB, {RuntimeInformation.OSDescription}";
        report.Conditions["software"] =
            $".NET {Environment.Version}, PostgreSQL {await ground.DatabaseVersion()}, commit {commit.Trim()}";
        report.Conditions["when"] = DateTime.UtcNow.ToString("yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture) + " UTC";
        report.Conditions["how"] = string.Create(CultureInfo.InvariantCulture,
            $"{settings.Turns} turns of {settings.Turn.TotalSeconds} s in rotation, after "
            + $"{settings.WarmUp.TotalSeconds} s of warming up each; "
            + $"client, servers and databases share the machine; all .NET contenders have the published app's runtime "
            + $"settings");
    }
}
