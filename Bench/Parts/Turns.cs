using Tally.Bench.Client;
using Tally.Bench.Contenders;
using Tally.Bench.Results;
using Tally.Bench.Workloads;

namespace Tally.Bench.Parts;

/// <summary>
/// Contenders that run at once and are pressed one at a time, in rotation: each warms up, then has as many turns as the
/// others. Every turn begins with another, so that none always follows the same.
/// </summary>
internal sealed class Turns(Settings settings, Ground ground, Report report)
{
    // Less than this share of one processor in use by all servers is quiet.
    private const double QuietShare = 0.05;

    private sealed record Turn(double EventsPerSecond, double RefusedShare, double ServerMicroseconds, double ClientMicroseconds);

    public async Task Measure(Workload workload, IReadOnlyList<Contender> entered, CancellationToken cancellation)
    {
        var contenders = entered.Where(contender => CanAnswer(workload, contender)).ToList();
        foreach (var contender in contenders)
        {
            cancellation.ThrowIfCancellationRequested();
            contender.Run(workload, new(settings.Connections.Max(), settings.WarmUp));
        }
        foreach (var connections in settings.Connections)
        {
            var turns = await InRotation(contenders, contender => Throughput(workload, contender, connections), cancellation);
            foreach (var contender in contenders) report.Throughputs.Add(Summary(workload, contender, connections, [.. turns[contender]]));
        }
        if (!workload.WithLatency) return;
        foreach (var connections in settings.Connections)
        {
            var turns = await InRotation(contenders, contender => Latencies(workload, contender, connections), cancellation);
            foreach (var contender in contenders) report.Latencies.Add(Summary(workload, contender, connections, [.. turns[contender]]));
        }
    }

    // One request, before the others: an endpoint that is not there is no contender.
    private bool CanAnswer(Workload workload, Contender contender)
    {
        if (workload.Ask == Ask.ReadCounters) contender.Prime();
        var first = contender.Run(workload, new(Connections: 1, TimeSpan.FromSeconds(30), RequestsMax: 1));
        if (first.Answered == 1) return true;
        report.NotRun.Add(new(workload.Name, contender.Name, $"the server answers {first.RefusedWith}"));
        return false;
    }

    private async Task<ILookup<Contender, T>> InRotation<T>(
        List<Contender> contenders, Func<Contender, T> measure, CancellationToken cancellation)
    {
        var turns = new List<(Contender Contender, T Measured)>();
        for (var turn = 0; turn < settings.Turns; turn++)
            for (var i = 0; i < contenders.Count; i++)
            {
                cancellation.ThrowIfCancellationRequested();
                var contender = contenders[(turn + i) % contenders.Count];
                await WaitForQuiet(contenders);
                turns.Add((contender, measure(contender)));
            }
        return turns.ToLookup(turn => turn.Contender, turn => turn.Measured);
    }

    private Turn Throughput(Workload workload, Contender contender, int connections)
    {
        var cpu = CpuSeconds([contender]);
        var result = contender.Run(workload, new(connections, settings.Turn));
        cpu = CpuSeconds([contender]) - cpu;
        double events = result.Answered * contender.EventsEach(workload);
        Console.Error.WriteLine($"{workload.Name} {contender.Name} {connections}: {events / result.Seconds:N0}/s");
        var answers = result.Answered + result.Refused;
        return new(events / result.Seconds, answers == 0 ? 0 : (double)result.Refused / answers, cpu * 1e6 / events, result.CpuSeconds * 1e6 / events);
    }

    private Latencies Latencies(Workload workload, Contender contender, int connections)
    {
        var result = contender.Run(workload, new(connections, settings.Turn, HalfOfCapacity(workload, contender, connections)));
        Console.Error.WriteLine($"{workload.Name} {contender.Name} {connections}: p99 {result.Latencies.Milliseconds(0.99):N2} ms");
        return result.Latencies;
    }

    private double HalfOfCapacity(Workload workload, Contender contender, int connections) =>
        report.EventsPerSecond(workload.Name, contender.Name, connections)!.Value / contender.EventsEach(workload) / 2;

    private static Throughput Summary(Workload workload, Contender contender, int connections, IReadOnlyList<Turn> turns) => new(
        workload.Name, contender.Name, connections, Over(turns, turn => turn.EventsPerSecond), turns.Average(turn => turn.RefusedShare),
        Over(turns, turn => turn.ServerMicroseconds), Over(turns, turn => turn.ClientMicroseconds));

    private Latency Summary(Workload workload, Contender contender, int connections, IReadOnlyList<Latencies> turns) => new(
        workload.Name, contender.Name, connections, HalfOfCapacity(workload, contender, connections),
        Over(turns, turn => turn.Milliseconds(0.5)), Over(turns, turn => turn.Milliseconds(0.99)), Over(turns, turn => turn.Milliseconds(0.999)));

    private static Spread Over<T>(IEnumerable<T> turns, Func<T, double> value) => new([.. turns.Select(value)]);

    // What a turn leaves behind (snapshots, merges, a database's own work) is not to burden the next one.
    private async Task WaitForQuiet(List<Contender> contenders)
    {
        var interval = TimeSpan.FromSeconds(0.25);
        for (var deadline = DateTime.UtcNow + settings.Quiet; DateTime.UtcNow < deadline;)
        {
            var cpu = CpuSeconds(contenders);
            await Task.Delay(interval);
            if (CpuSeconds(contenders) - cpu < QuietShare * interval.TotalSeconds) return;
        }
    }

    private double CpuSeconds(IEnumerable<Contender> contenders) =>
        ProcessTree.CpuSeconds([.. contenders.SelectMany(contender => contender.Processes), .. ground.DatabaseProcesses]);
}
