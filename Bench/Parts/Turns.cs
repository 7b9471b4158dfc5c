using Tally.Bench.Client;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>One workload sent to one contender.</summary>
internal sealed record Pairing(Workload Workload, Contender Contender)
{
    public LoadResult Run(Load load) => Contender.Run(Workload, load);

    public override string ToString() => $"{Workload.Name} {Contender.Name}";
}

/// <summary>
/// Contenders that all run but are put under load one at a time. Each pairing warms up, then all take turns in
/// rotation. Every round begins with another pairing, so that none is always first.
/// </summary>
internal sealed class Turns(Settings settings, Ground ground, Report report)
{
    // The servers are quiet if together they use less than this share of one processor.
    private const double QuietShare = 0.05;

    private sealed record Turn(double EventsPerSecond, double RefusedShare,
        double OwnMicroseconds, double DatabaseMicroseconds, double ClientMicroseconds);

    public async Task Measure(IEnumerable<Pairing> entered, CancellationToken cancellation)
    {
        var pairings = entered.Where(CanAnswer).ToList();
        foreach (var pairing in pairings)
        {
            cancellation.ThrowIfCancellationRequested();
            pairing.Run(new(settings.Connections.Max(), settings.WarmUp));
        }
        foreach (var connections in settings.Connections)
        {
            var turns = await InRotation(pairings, pairing => Throughput(pairing, connections), cancellation);
            foreach (var pairing in pairings)
                report.Throughputs.Add(Summary(pairing, connections, [.. turns[pairing]]));
        }
        var withLatency = pairings.Where(pairing => pairing.Workload.WithLatency).ToList();
        foreach (var connections in settings.Connections)
        {
            var turns =
                await InRotation(withLatency,
                    pairing => Latencies(pairing, connections, HalfOfCapacity(pairing, connections)), cancellation);
            foreach (var pairing in withLatency)
                report.Latencies.Add(Summary(pairing, connections, [.. turns[pairing]]));
        }
        foreach (var pairing in withLatency.Where(pairing => pairing.Contender.Name == "tally"))
            await AtInsertsRate(pairing, withLatency, cancellation);
    }

    // Half of Tally's own capacity is many times what the others are asked for. This measures it at the same rate.
    private async Task AtInsertsRate(Pairing tally, List<Pairing> pairings, CancellationToken cancellation)
    {
        if (pairings.Find(other =>
            other.Contender.Name == "insert" && other.Workload == tally.Workload) is not { } insert) return;
        var connections = settings.Connections.Max();
        var turns =
            await InRotation([tally], _ => Latencies(tally, connections, HalfOfCapacity(insert, connections)),
                cancellation);
        var inserts = report.P99(tally.Workload.Name, "insert")!.Value;
        report.Figures.Add(new($"p99 at half of insert's capacity, {tally.Workload.Name}, tally / insert",
            Over(turns[tally], turn => turn.Milliseconds(0.99) / inserts), "ratio"));
    }

    // One request before the others: a contender without the endpoint is left out.
    private bool CanAnswer(Pairing pairing)
    {
        if (pairing.Workload.Ask == Ask.ReadCounters) pairing.Contender.Prime();
        var first = pairing.Run(new(Connections: 1, TimeSpan.FromSeconds(30), RequestsMax: 1));
        if (first.Answered == 1) return true;
        report.NotRun.Add(
            new(pairing.Workload.Name, pairing.Contender.Name, $"the server answers {first.RefusedWith}"));
        return false;
    }

    private async Task<ILookup<Pairing, T>> InRotation<T>(
        List<Pairing> pairings, Func<Pairing, T> measure, CancellationToken cancellation)
    {
        var turns = new List<(Pairing Pairing, T Measured)>();
        for (var round = 0; round < settings.Turns; round++)
            for (var i = 0; i < pairings.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var pairing = pairings[(round + i) % pairings.Count];
                await WaitForQuiet(pairings);
                turns.Add((pairing, measure(pairing)));
            }
        return turns.ToLookup(turn => turn.Pairing, turn => turn.Measured);
    }

    private Turn Throughput(Pairing pairing, int connections)
    {
        var (own, database) = (OwnCpuSeconds([pairing]), DatabaseCpuSeconds());
        var result = pairing.Run(new(connections, settings.Turn));
        (own, database) = (OwnCpuSeconds([pairing]) - own, DatabaseCpuSeconds() - database);
        double events = result.Answered * pairing.Contender.EventsEach(pairing.Workload);
        Console.Error.WriteLine($"{pairing} {connections}: {events / result.Seconds:N0}/s");
        var refusedShare = result.Refused / Math.Max(1.0, result.Answered + result.Refused);
        return new(events / result.Seconds, refusedShare,
            own * 1e6 / events, database * 1e6 / events, result.CpuSeconds * 1e6 / events);
    }

    private Latencies Latencies(Pairing pairing, int connections, double perSecond)
    {
        var result = pairing.Run(new(connections, settings.Turn, perSecond));
        Console.Error.WriteLine($"{pairing} {connections}: p99 {result.Latencies.Milliseconds(0.99):N2} ms");
        return result.Latencies;
    }

    // Requests a second; a contender that answered nothing gets one.
    private double HalfOfCapacity(Pairing pairing, int connections) => Math.Max(1,
        report.EventsPerSecond(pairing.Workload.Name, pairing.Contender.Name, connections)!.Value
            / pairing.Contender.EventsEach(pairing.Workload) / 2);

    private static Throughput Summary(Pairing pairing, int connections, IReadOnlyList<Turn> turns) => new(
        pairing.Workload.Name, pairing.Contender.Name, connections, Over(turns, turn => turn.EventsPerSecond),
        turns.Average(turn => turn.RefusedShare),
        Over(turns, turn => turn.OwnMicroseconds), Over(turns, turn => turn.DatabaseMicroseconds),
        Over(turns, turn => turn.ClientMicroseconds));

    private Latency Summary(Pairing pairing, int connections, IReadOnlyList<Latencies> turns) => new(
        pairing.Workload.Name, pairing.Contender.Name, connections, HalfOfCapacity(pairing, connections),
        Over(turns, turn => turn.Milliseconds(0.5)),
        Over(turns, turn => turn.Milliseconds(0.99)),
        Over(turns, turn => turn.Milliseconds(0.999)));

    private static Spread Over<T>(IEnumerable<T> turns, Func<T, double> value) => new([.. turns.Select(value)]);

    // What a turn leaves behind (snapshots, merges, a database's own work) must not burden the next one.
    private async Task WaitForQuiet(List<Pairing> pairings)
    {
        var interval = TimeSpan.FromSeconds(0.25);
        for (var deadline = DateTime.UtcNow + settings.Quiet; DateTime.UtcNow < deadline;)
        {
            var cpu = OwnCpuSeconds(pairings) + DatabaseCpuSeconds();
            await Task.Delay(interval);
            if (OwnCpuSeconds(pairings) + DatabaseCpuSeconds() - cpu < QuietShare * interval.TotalSeconds) return;
        }
    }

    private static double OwnCpuSeconds(IEnumerable<Pairing> pairings) =>
        ProcessTree.CpuSeconds(pairings.SelectMany(pairing => pairing.Contender.Processes).Distinct());

    private double DatabaseCpuSeconds() => ProcessTree.CpuSeconds(ground.DatabaseProcesses);
}
