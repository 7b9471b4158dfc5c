using System.Diagnostics;

namespace Tally.Grains.EventLog;

/// <summary>
/// The two calls that carry the load, measured: for <see cref="TallyMetrics"/>, and a commit for its trace.
/// </summary>
internal static class MeasuredStorage
{
    public static async Task<long?> TryRecordMeasured(
        this IEventLogStorage storage, List<RecordedEvent> events, List<RunStart> starts, RollupDeltas deltas,
        List<Run> runs)
    {
        using var span = CommitTraces.Start(runs);
        var begun = Stopwatch.GetTimestamp();
        bool? recorded = null;
        try
        {
            var removalEpoch = await storage.TryRecord(events, starts, deltas);
            recorded = removalEpoch is not null;
            return removalEpoch;
        }
        finally
        {
            TallyMetrics.Committed(events.Count, recorded, Stopwatch.GetElapsedTime(begun));
            span?.SetTag("tally.events", events.Count);
            if (recorded != true) span?.SetStatus(ActivityStatusCode.Error, recorded is null ? "failed" : "conflict");
        }
    }

    public static async Task<NewestOfMany> ReadNewestMeasured(
        this IEventLogStorage storage, string[] fingerprints, int limit)
    {
        var begun = Stopwatch.GetTimestamp();
        var newest = await storage.ReadNewest(fingerprints, limit);
        TallyMetrics.Loaded(fingerprints.Length, Stopwatch.GetElapsedTime(begun));
        return newest;
    }
}
