using Tally.Bench.Contenders;
using Tally.Bench.Results;

namespace Tally.Bench.Parts;

/// <summary>All workloads, each with all contenders that can answer it.</summary>
internal static class Comparison
{
    public static async Task Run(Settings settings, Ground ground, Turns turns, Report report,
        CancellationToken cancellation)
    {
        var running = new Dictionary<string, Contender>();
        try
        {
            var pairings = new List<Pairing>();
            foreach (var workload in settings.Workloads)
                foreach (var entrant in workload.Contenders.Intersect(settings.Contenders).Select(Entrant.Named))
                {
                    if (entrant.Missing?.Invoke() is { } missing)
                    {
                        report.NotRun.Add(new(workload.Name, entrant.Name, missing));
                        continue;
                    }
                    if (!running.ContainsKey(entrant.Name)) running[entrant.Name] = await entrant.Start(ground);
                    pairings.Add(new(workload, running[entrant.Name]));
                }
            await turns.Measure(pairings, cancellation);
        }
        finally
        {
            foreach (var contender in running.Values) await contender.DisposeAsync();
        }
    }
}
