using System.Diagnostics;
using Tally.Bench.Workloads;

namespace Tally.Bench.Client;

/// <summary>How much load, and for how long.</summary>
/// <param name="Connections">Requests under way at once.</param>
/// <param name="Duration">Requests that are due within this time are sent.</param>
/// <param name="PerSecond">Requests a second; null for as many as are answered.</param>
/// <param name="RequestsMax">Ends the load earlier, after this many requests.</param>
internal sealed record Load(int Connections, TimeSpan Duration, double? PerSecond = null,
    long RequestsMax = long.MaxValue);

/// <param name="Seconds">
/// From the first request to the end of the load's duration, or to the last answer if that comes earlier.
/// </param>
/// <param name="Answered">200s within that time.</param>
/// <param name="Refused">Other answers, even late ones, and requests that were never answered.</param>
/// <param name="RefusedWith">The status of the last answer that was not 200.</param>
/// <param name="BySecond">200s in each second.</param>
/// <param name="CpuSeconds">Processor time of this client.</param>
internal sealed record LoadResult(
    double Seconds, long Answered, long Refused, int? RefusedWith, IReadOnlyList<long> BySecond, Latencies Latencies,
    double CpuSeconds);

/// <summary>
/// Sends prepared requests over raw sockets, all from one thread. It shares the machine with what it measures, so it
/// does only what it must: two system calls a request and no allocation.
/// </summary>
internal sealed class LoadClient : IDisposable
{
    // How long the requests under way at the end may still take.
    private static readonly long PatienceTicks = 20 * Stopwatch.Frequency;

    private readonly Load load;
    private readonly Requests requests;
    private readonly ReadyQueue queue = new();
    private readonly Connection[] connections;
    private readonly Queue<Connection> idle;
    private readonly Latencies latencies = new();
    private readonly List<long> bySecond = [];
    private long start, end, sent, answered, refused;
    private int? refusedWith;

    private LoadClient(IReadOnlyList<int> ports, Requests requests, Load load)
    {
        (this.requests, this.load) = (requests, load);
        connections = [.. Enumerable.Range(0, load.Connections).Select(i => new Connection(ports[i % ports.Count]))];
        idle = new(connections);
        for (var i = 0; i < connections.Length; i++) queue.Add(connections[i].Socket, i);
    }

    /// <param name="ports">The servers' ports on the loopback. The connections are spread evenly over them.</param>
    /// <exception cref="IOException">The server hung up.</exception>
    public static LoadResult Run(IReadOnlyList<int> ports, Requests requests, Load load)
    {
        using var client = new LoadClient(ports, requests, load);
        return client.Run();
    }

    private LoadResult Run()
    {
        var cpu = Environment.CpuUsage.TotalTime;
        start = Stopwatch.GetTimestamp();
        end = start + (long)(load.Duration.TotalSeconds * Stopwatch.Frequency);
        var pace = new Pace(start, load.PerSecond);
        var giveUp = end + PatienceTicks;
        long now;
        while (true)
        {
            now = Stopwatch.GetTimestamp();
            var next = SendDue(pace, now);
            if (next is null && idle.Count == connections.Length || now > giveUp) break;
            Receive(queue.Wait(Math.Min(next ?? giveUp, giveUp) - now));
        }
        foreach (var connection in connections.Except(idle)) Count(connection.Due, status: null, now);
        // requests that were due but never sent
        while (load.PerSecond is not null && pace.TryTake(now, out var due) && due < end) Count(due, status: null, now);
        var seconds = Stopwatch.GetElapsedTime(start, Math.Min(now, end)).TotalSeconds;
        return new(seconds, answered, refused, refusedWith, bySecond, latencies,
            (Environment.CpuUsage.TotalTime - cpu).TotalSeconds);
    }

    /// <summary>Sends what is due, while there are connections for it.</summary>
    /// <returns>When to return at the latest; null after the last request.</returns>
    private long? SendDue(Pace pace, long now)
    {
        while (idle.TryPeek(out var connection))
        {
            if (sent == load.RequestsMax) return null;
            var isDue = pace.TryTake(now, out var due);
            if (due >= end) return null;
            if (!isDue) return due;
            connection.Send(requests.Next(), due);
            idle.Dequeue();
            sent++;
        }
        return long.MaxValue;
    }

    private void Receive(int ready)
    {
        for (var i = 0; i < ready; i++)
        {
            var connection = connections[queue.Ready(i)];
            if (connection.Receive() is not { } status) continue;
            Count(connection.Due, status, Stopwatch.GetTimestamp());
            idle.Enqueue(connection);
        }
    }

    // A request that was due before the end counts as a latency whenever it is answered, but as throughput only in
    // time.
    private void Count(long due, int? status, long now)
    {
        latencies.Add(now - due);
        if (status != 200) (refused, refusedWith) = (refused + 1, status);
        else if (now <= end)
        {
            answered++;
            var second = (int)((now - start) / Stopwatch.Frequency);
            while (bySecond.Count <= second) bySecond.Add(0);
            bySecond[second]++;
        }
    }

    public void Dispose()
    {
        foreach (var connection in connections) connection.Dispose();
        queue.Dispose();
    }
}
