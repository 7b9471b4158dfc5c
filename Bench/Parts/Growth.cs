using System.Globalization;
using Tally.Bench.Contenders;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>The same load on logs of different lengths, each with its own database and app, in rotation.</summary>
internal static class Growth
{
    private static readonly string[] Workloads = ["new", "mixed"];

    public static string NameAt(int rows) => string.Create(CultureInfo.InvariantCulture,
        $"tally at {rows:N0} rows of {FilledLog.Fingerprints(rows):N0} fingerprints");

    public static async Task Run(Settings settings, Ground ground, Turns turns, CancellationToken cancellation)
    {
        var contenders = new List<Contender>();
        try
        {
            foreach (var rows in settings.RowCounts)
            {
                cancellation.ThrowIfCancellationRequested();
                var database = await ground.CreateDatabase();
                await ground.Migrate(database);
                await FilledLog.Fill(database, rows, TimeSpan.FromMinutes(1), cancellation);
                contenders.Add(await Entrant.StartTally(ground, NameAt(rows), database));
            }
            await turns.Measure(
                from workload in Workload.All
                where Workloads.Contains(workload.Name)
                from contender in contenders
                select new Pairing(workload with { WithLatency = false }, contender), cancellation);
        }
        finally
        {
            foreach (var contender in contenders) await contender.DisposeAsync();
        }
    }
}
