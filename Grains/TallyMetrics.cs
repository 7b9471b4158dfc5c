using System.Diagnostics.Metrics;
using Tally.Grains.EventLog;

namespace Tally.Grains;

/// <summary>
/// What Tally measures of itself; docs/reference/metrics.md says what a bad value means. No label but <c>reason</c> and
/// <c>outcome</c>, each of a few fixed words, and <c>peer</c>, a silo's address: never anything that a client chose.
/// Static, since a process is one silo; an instrument that nobody listens to costs a comparison.
/// </summary>
public static class TallyMetrics
{
    public const string MeterName = "Tally";

    private static readonly Meter Meter = new(MeterName);

    // Why it refuses what is no client's mistake.
    private static readonly string[] ReasonsOfTheService = ["overloaded", "unavailable"];

    private static readonly InstrumentAdvice<double> Seconds = new()
    {
        HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    };

    private static readonly InstrumentAdvice<int> Sizes = new()
    {
        HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000],
    };

    // By the front end that answered.
    public static readonly Counter<long> EventsAccepted =
        Meter.CreateCounter<long>("tally.events.accepted", "{event}", "Events answered 200 as new");
    public static readonly Counter<long> EventsRepeated =
        Meter.CreateCounter<long>("tally.events.repeated", "{event}", "Events answered 200 with their first receipt");
    private static readonly Counter<long> EventsRefused =
        Meter.CreateCounter<long>("tally.events.refused", "{event}", "Events answered with a refusal, by its reason");

    internal static readonly Counter<long> EventsForwarded =
        Meter.CreateCounter<long>("tally.events.forwarded", "{event}", "Events sent to the silos that own them");

    public static readonly Counter<long> BotsIgnored =
        Meter.CreateCounter<long>("tally.bots.ignored", "{request}",
            "Requests of known bots, answered 200 and not recorded");

    public static readonly UpDownCounter<long> AnswerBytesHeld =
        Meter.CreateUpDownCounter<long>("tally.answers.held", "By",
            "Large answers that their readers have not taken yet");
    public static readonly UpDownCounter<long> LiveBytesHeld =
        Meter.CreateUpDownCounter<long>("tally.live.held", "By",
            "What readers of live streams have not taken yet, shared texts once");
    public static readonly UpDownCounter<long> LiveReaders =
        Meter.CreateUpDownCounter<long>("tally.live.readers", "{reader}", "Live streams open");
    public static readonly Counter<long> LiveReadersCutOff =
        Meter.CreateCounter<long>("tally.live.readers.cut_off", "{reader}",
            "Live streams ended because their reader was too slow");

    // By the silo that holds the grains.
    public static readonly Counter<long> Fences =
        Meter.CreateCounter<long>("tally.fences", "{fingerprint}",
            "Fingerprints that stepped down because somebody else had written");
    public static readonly UpDownCounter<long> ResidentFingerprints =
        Meter.CreateUpDownCounter<long>("tally.fingerprints.resident", "{fingerprint}", "Fingerprints held in memory");
    public static readonly Counter<long> LoadsSpared =
        Meter.CreateCounter<long>("tally.loads.spared", "{fingerprint}",
            "New fingerprints that were recorded without a look into the log");
    public static readonly Counter<long> SnapshotsWritten =
        Meter.CreateCounter<long>("tally.snapshots.written", "{snapshot}", "Snapshots written");
    public static readonly Counter<long> SnapshotsFailed =
        Meter.CreateCounter<long>("tally.snapshots.failed", "{snapshot}", "Snapshots that could not be written");

    // By the silo that sends.
    public static readonly Counter<long> FiringsDelivered =
        Meter.CreateCounter<long>("tally.firings.delivered", "{firing}", "Firings that their receiver has taken");
    public static readonly Counter<long> FiringTriesFailed =
        Meter.CreateCounter<long>("tally.firings.tries.failed", "{try}", "Tries to deliver a firing that failed");
    public static readonly Counter<long> FiringsParked =
        Meter.CreateCounter<long>("tally.firings.parked", "{firing}", "Firings that are not tried any more");

    private static readonly Histogram<int> CommitEvents =
        Meter.CreateHistogram("tally.commit.events", "{event}", "Events recorded in one transaction", [], Sizes);
    private static readonly Histogram<double> CommitDuration =
        Meter.CreateHistogram("tally.commit.duration", "s", "Time of one transaction, by its outcome", [], Seconds);
    private static readonly Histogram<int> LoadFingerprints =
        Meter.CreateHistogram("tally.load.fingerprints", "{fingerprint}", "Fingerprints loaded by one query", [],
            Sizes);
    private static readonly Histogram<double> LoadDuration =
        Meter.CreateHistogram("tally.load.duration", "s", "Time of one loading query", [], Seconds);

    private static readonly Histogram<int> GroupEvents =
        Meter.CreateHistogram("tally.peer.group.events", "{event}", "Events or questions sent to a silo together", [],
            Sizes);
    private static readonly Histogram<double> GroupDuration =
        Meter.CreateHistogram("tally.peer.duration", "s", "Time of one group's way to a silo and back", [], Seconds);

    /// <param name="reason">One of the documented reason codes.</param>
    public static void EventRefused(string reason) =>
        EventsRefused.Add(1, new KeyValuePair<string, object?>("reason", reason));

    /// <param name="events">In the transaction.</param>
    /// <param name="recorded">False where it conflicts with the log; null where it failed.</param>
    /// <param name="time">From its begin to its commit's answer.</param>
    public static void Committed(int events, bool? recorded, TimeSpan time)
    {
        if (recorded == true) CommitEvents.Record(events);
        var outcome = recorded switch { true => "recorded", false => "conflict", null => "failed" };
        CommitDuration.Record(time.TotalSeconds, new KeyValuePair<string, object?>("outcome", outcome));
    }

    public static void Loaded(int fingerprints, TimeSpan time)
    {
        LoadFingerprints.Record(fingerprints);
        LoadDuration.Record(time.TotalSeconds);
    }

    /// <param name="peer">The silo's address.</param>
    /// <param name="weight">Of the events, or the number of questions.</param>
    /// <param name="time">From sending the group to its reply.</param>
    internal static void Exchanged(string peer, int weight, TimeSpan time)
    {
        var label = new KeyValuePair<string, object?>("peer", peer);
        GroupEvents.Record(weight, label);
        GroupDuration.Record(time.TotalSeconds, label);
    }

    /// <summary>Shows what the database was last asked about firings. Once a process.</summary>
    /// <param name="pending">How many are to be delivered.</param>
    /// <param name="oldest">Seconds since the oldest of them was recorded.</param>
    public static void ObserveFirings(Func<long> pending, Func<double> oldest)
    {
        Meter.CreateObservableUpDownCounter("tally.firings.pending", pending, "{firing}",
            "Firings to be delivered, of the whole service");
        Meter.CreateObservableGauge("tally.firings.oldest.age", oldest, "s",
            "Since the oldest firing to be delivered was recorded");
    }

    /// <summary>Shows the queues' lengths, read when somebody asks, and counts from 0. Once a process.</summary>
    public static void Observe(GroupCommit log, HistoryLoader loader, Peers.Peers peers)
    {
        Meter.CreateObservableUpDownCounter("tally.peer.queue", () => peers.Queues.Select(queue => new Measurement<int>(
            queue.QueuedWeight, new KeyValuePair<string, object?>("peer", queue.Name))), "{event}",
            "Events and questions waiting to be sent to a silo");
        Meter.CreateObservableUpDownCounter("tally.commit.queue", () => log.QueuedEvents, "{event}",
            "Events waiting for a transaction");
        Meter.CreateObservableUpDownCounter("tally.load.queue", () => loader.Queued, "{fingerprint}",
            "Fingerprints waiting to be loaded");
        BeginAtZero();
    }

    // An alert on what should never happen compares a count with the one before, so there must be one before.
    private static void BeginAtZero()
    {
        foreach (var counter in (Counter<long>[])
            [EventsAccepted, EventsRepeated, EventsForwarded, BotsIgnored, LiveReadersCutOff, Fences, LoadsSpared,
                SnapshotsWritten, SnapshotsFailed, FiringsDelivered, FiringTriesFailed, FiringsParked])
            counter.Add(0);
        foreach (var held in (UpDownCounter<long>[])[AnswerBytesHeld, LiveBytesHeld, LiveReaders, ResidentFingerprints])
            held.Add(0);
        foreach (var reason in ReasonsOfTheService)
            EventsRefused.Add(0, new KeyValuePair<string, object?>("reason", reason));
    }
}
