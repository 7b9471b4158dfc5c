using Tally.Bench.Client;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>
/// The same load on clusters of different size: one database each, all silos on this machine, requests spread over
/// them, in rotation.
/// </summary>
internal static class Cluster
{
    private static readonly string[] Workloads = ["hot", "new", "mixed", "batch", "counters"];
    private static readonly Workload Hot = Workload.All.Single(workload => workload.Name == "hot");

    // To each silo, to see where they are recorded. Enough for a share to the hundredth.
    private const int Sent = 2_000, Connections = 16;

    private const string Prefix = "tally, ";

    /// <summary>
    /// Beside a cluster of as many, silos that know nothing of each other share the load, each with a database of its
    /// own: what they cost, the machine makes them cost.
    /// </summary>
    private const int Apart = 3;

    public static readonly string NameApart = $"{NameOf(Apart)} apart";

    public static string NameOf(int silos) => $"{Prefix}{silos} silo{(silos == 1 ? "" : "s")}";

    /// <summary>Whether this part has measured it.</summary>
    public static bool IsOne(Throughput of) => of.Contender.StartsWith(Prefix, StringComparison.Ordinal);

    /// <returns>Such as "3 silos".</returns>
    public static string SizeOf(Throughput of) => of.Contender[Prefix.Length..];

    public static async Task Run(Settings settings, Ground ground, Turns turns, Report report,
        CancellationToken cancellation)
    {
        var clusters = new List<HttpContender>();
        try
        {
            foreach (var silos in settings.Silos)
            {
                cancellation.ThrowIfCancellationRequested();
                var database = await ground.CreateDatabase();
                clusters.Add(await Entrant.StartTally(ground, NameOf(silos), Enumerable.Repeat(database, silos)));
            }
            if (settings.Silos.Contains(Apart))
            {
                var databases = new List<string>();
                while (databases.Count < Apart) databases.Add(await ground.CreateDatabase());
                clusters.Add(await Entrant.StartTally(ground, NameApart, databases));
            }
            foreach (var workload in settings.Workloads.Where(workload => Workloads.Contains(workload.Name))
                .Select(workload => workload with { WithLatency = true }))
            {
                await turns.Measure(clusters.Select(cluster => new Pairing(workload, cluster)), cancellation);
                foreach (var cluster in clusters)
                    report.Figures.Add(new($"share of remote events, {workload.Name}, {cluster.Name}",
                        await RemoteShare(workload, cluster, cancellation), "ratio"));
            }
        }
        finally
        {
            foreach (var cluster in clusters) await cluster.DisposeAsync();
        }
    }

    /// <summary>
    /// The share of events that another silo records than the one that they were posted to. It is measured on one silo
    /// after the other: each gets events alone, and then all say how many they recorded.
    /// </summary>
    private static async Task<Spread> RemoteShare(Workload workload, HttpContender cluster,
        CancellationToken cancellation)
    {
        // Nothing counts where reads are answered; they are of the fingerprints that hot's events are of.
        if (workload.Ask == Ask.ReadCounters) workload = Hot;
        var load = new Load(Connections, TimeSpan.FromMinutes(1), RequestsMax: Sent / cluster.EventsEach(workload));
        double remote = 0, all = 0;
        for (var i = 0; i < cluster.Ports.Count; i++)
        {
            var before = await Recorded();
            cluster.RunAt(cluster.Ports[i], workload, load);
            var recorded = (await Recorded()).Zip(before, (now, then) => now - then).ToList();
            all += recorded.Sum();
            remote += recorded.Sum() - recorded[i];
        }
        return new([remote / all]);

        Task<double[]> Recorded() => Metrics.Read(cluster.Ports, "tally_commit_events_sum", cancellation);
    }
}
