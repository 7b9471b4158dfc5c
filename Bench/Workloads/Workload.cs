using Tally.Bench.Client;

namespace Tally.Bench.Workloads;

/// <summary>What a request asks for.</summary>
internal enum Ask { RecordEvent, RecordEventWithId, RecordEventWithDimensions, RecordBatch, ReadCounters, ReadTotals }

/// <param name="Contenders">Those that can answer it, by name.</param>
/// <param name="WithLatency">Whether it is also sent at half of each contender's capacity.</param>
internal sealed record Workload(string Name, string About, Ask Ask, Func<Func<Numbers>> Draw, string[] Contenders,
    bool WithLatency = false)
{
    public static readonly IReadOnlyList<Workload> All =
    [
        new("hot", "events of 1,000 fingerprints", Ask.RecordEvent, Workloads.Draw.Hot,
            ["bare", "insert", "stock", "redis", "tally", "tally-rules", "insert-sqlite", "tally-sqlite"],
            WithLatency: true),
        new("new", "every event a new fingerprint", Ask.RecordEvent, Workloads.Draw.New,
            ["insert", "stock", "redis", "tally", "insert-sqlite", "tally-sqlite"], WithLatency: true),
        new("mixed", "1,000,000 fingerprints, the nth as frequent as the first divided by n", Ask.RecordEvent,
            Workloads.Draw.Mixed,
            ["insert", "stock", "redis", "tally"]),
        new("repeats", "hot, with ids, half of which are sent twice", Ask.RecordEventWithId, Workloads.Draw.Repeats,
            ["tally"]),
        new("dimensions", "hot, five dimensions on every event: 10,000 pages, ten of each fingerprint",
            Ask.RecordEventWithDimensions, Workloads.Draw.HotPages, ["tally", "tally-sqlite"]),
        new("batch", "hot, 1,000 events a request", Ask.RecordBatch, Workloads.Draw.Hot, ["statements", "tally"]),
        new("counters", "reads of the 1,000 hot fingerprints", Ask.ReadCounters, Workloads.Draw.Hot,
            ["bare", "redis", "tally"]),
    ];
}
