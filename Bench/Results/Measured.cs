namespace Tally.Bench.Results;

/// <summary>What one contender did with one workload.</summary>
/// <param name="EventsPerSecond">Events answered with 200 in time; for reads, the reads.</param>
/// <param name="RefusedShare">The share of requests that were not answered with 200.</param>
/// <param name="OwnMicroseconds">Processor time an event of all of the contender's own processes.</param>
/// <param name="DatabaseMicroseconds">Processor time an event of the database.</param>
/// <param name="ClientMicroseconds">Processor time an event of the load client.</param>
internal sealed record Throughput(
    string Workload, string Contender, int Connections, Spread EventsPerSecond, double RefusedShare,
    Spread OwnMicroseconds, Spread DatabaseMicroseconds, Spread ClientMicroseconds);

/// <summary>Milliseconds from when a request was due to its answer, at a fixed rate.</summary>
/// <param name="RequestsPerSecond">Half of this contender's capacity with this many connections.</param>
internal sealed record Latency(
    string Workload, string Contender, int Connections, double RequestsPerSecond, Spread P50, Spread P99, Spread P999);

/// <summary>Another measurement, with its unit.</summary>
internal sealed record Figure(string What, Spread Value, string Unit);

/// <summary>What was asked for but did not run.</summary>
internal sealed record NotRun(string Workload, string Contender, string Why);
