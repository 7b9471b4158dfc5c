using System.ComponentModel.DataAnnotations;

namespace Tally.Contracts;

/// <summary>
/// Every maximum in Tally, in one place. Each is set by the configuration key <c>Limits:NAME</c>, for example the
/// environment variable <c>Limits__QueueEventsMax</c>; a value outside its range ends the process at start.
/// </summary>
public sealed class Limits
{
    /// <summary>No setting of <see cref="EventIdCharactersMax"/> goes above this: ids are hashed on the stack.</summary>
    public const int EventIdCharactersCeiling = 256;

    /// <summary>No setting of <see cref="FingerprintBytesMax"/> goes above this, so no row of the log has a longer one.</summary>
    public const int FingerprintBytesCeiling = 1024;

    /// <summary>Days whose events a fingerprint counts one by one. Fixed: what an older snapshot has left out cannot come back.</summary>
    public const int ActivityDaysMax = 30;

    /// <summary>No setting of <see cref="PropertiesBytesMax"/> goes above this, so one event never fills a page.</summary>
    public const int PropertiesBytesCeiling = 1 << 20;

    // What one event may hold. Widening these is safe; narrowing them leaves what is recorded as it is.
    [Range(1, FingerprintBytesCeiling)] public int FingerprintBytesMax { get; set; } = 256;
    [Range(1, 1024)] public int ActionBytesMax { get; set; } = 256;
    [Range(1, 1024)] public int ProductBytesMax { get; set; } = 256;
    [Range(1, EventIdCharactersCeiling)] public int EventIdCharactersMax { get; set; } = 128;
    [Range(2, PropertiesBytesCeiling)] public int PropertiesBytesMax { get; set; } = 32 * 1024;
    [Range(1024, 1 << 20)] public int EventBodyBytesMax { get; set; } = 64 * 1024;

    // How far a client's time may be from this server's: back for a device that was offline, ahead for a clock that is wrong.
    [Range(0, 36_500)] public int TimestampPastDaysMax { get; set; } = 30;
    [Range(0, 1_000_000)] public int TimestampAheadMinutesMax { get; set; } = 5;

    // A batch, decoded. It is recorded in parts, and only one of them is in memory.
    [Range(1, 1_000_000)] public int BatchBodyEventsMax { get; set; } = 5_000;
    [Range(1024, 1 << 30)] public int BatchBodyBytesMax { get; set; } = 4 * 1024 * 1024;
    [Range(1, 50_000)] public int BatchPartEventsMax { get; set; } = 1_000;
    // Bytes of a part that are waited for before it is read; fewer only at the body's end. Who sends slowly keeps no room from others.
    [Range(1, 1 << 20)] public int BatchReadAheadBytesMax { get; set; } = 256 * 1024;

    // Distinct (product, action) pairs of one fingerprint: what keeps a grain's memory and its snapshot small.
    [Range(1, 100_000)] public int CountersMax { get; set; } = 1_000;

    // Distinct (product, action) pairs of the whole service: a minute in which all occur costs the rollups so many rows,
    // and each silo remembers them, in some 200 bytes each.
    [Range(1, 10_000_000)] public int ServiceCountersMax { get; set; } = 100_000;

    // What one client may send; 0 is no limit, and the default: only its operator knows whether an address is one visitor,
    // an office, a service with all of its events, or a proxy that hides everyone. An IPv6 address counts by its /64.
    // Ten seconds' requests, or a minute's new fingerprints, may come at once.
    [Range(0, 1_000_000)] public int AddressRequestsPerSecondMax { get; set; }
    [Range(0, 1_000_000)] public int KeyRequestsPerSecondMax { get; set; }
    [Range(0, 1_000_000)] public int AddressNewFingerprintsPerMinuteMax { get; set; }
    [Range(1, 1 << 24)] public int AddressBucketsMax { get; set; } = 65_536;

    // Connections of clients. An idle one costs about 5 KB; beyond the limit the server closes new ones at once.
    [Range(1, 1_000_000)] public int ClientConnectionsMax { get; set; } = 20_000;

    // From a request's first byte to the end of its head: a client that dribbles holds a connection no longer.
    [Range(1, 300)] public int HeadSecondsMax { get; set; } = 10;

    // Requests being answered at once, all endpoints that write. Above it 503: queueing more only makes all late.
    // One with large properties counts as several (Event.Weight).
    [Range(1, 1_000_000)] public int RequestsMax { get; set; } = 10_000;

    // Bodies that are read whole and are longer than SmallBodyBytesMax: bytes of all of them together. Beyond it they wait, and are
    // refused when their deadline passes. Each of them becomes several times as many bytes of objects.
    [Range(1024, 1 << 20)] public int SmallBodyBytesMax { get; set; } = 16 * 1024;
    [Range(1 << 16, 1 << 30)] public int LargeBodiesBytesMax { get; set; } = 64 * 1024 * 1024;
    [Range(1, 600)] public int LargeBodySecondsMax { get; set; } = 30;

    // Events of batches being recorded at once, a part counting as a full one: above it parts wait, as bytes and not as the objects
    // of which so many would keep the collector busy, and most of the queue below stays for single events. Above the second, 503.
    [Range(1, 1 << 20)] public int BatchedEventsMax { get; set; } = 16_384;
    [Range(0, 1 << 28)] public int BatchedEventsWaitingMax { get; set; } = 4_194_304;

    // Group commit. The queue holds about 4 s of a busy silo's events; a batch is one transaction, and what it
    // locks and logs at once; a run is the share of one grain in it. An event with large properties counts as several in all
    // three (Event.Weight), so that a full queue is some 130 MB at the most.
    [Range(1, 1 << 20)] public int QueueEventsMax { get; set; } = 65_536;
    [Range(1, 50_000)] public int BatchEventsMax { get; set; } = 5_000;
    [Range(1, 50_000)] public int RunEventsMax { get; set; } = 1_000;

    // Loading. The newest events that one load returns are also the ids that a grain knows without asking; it must
    // exceed the snapshot's distance, so that a snapshot and one load together are the whole state.
    [Range(8, 1_024)] public int RememberedEventsMax { get; set; } = 64;
    [Range(1, 10_000)] public int LoadFingerprintsMax { get; set; } = 256;
    [Range(1, 1 << 20)] public int LoadQueueMax { get; set; } = 65_536;

    // Fingerprints in memory, at 2 to 3 KB each with a short history. One that has left costs its next event a load.
    [Range(1, 100_000_000)] public int ResidentFingerprintsMax { get; set; } = 120_000;

    // Snapshots: due after so many events since the last one, or on deactivation when the tail is worth a row. Due
    // ones take turns: each costs about 1 ms of two processors, and written at once at 32 events they took a third of
    // a hot set's throughput. A tail that grows meanwhile is read page by page when its grain loads.
    [Range(1, 1_024)] public int SnapshotEventsMax { get; set; } = 32;
    [Range(1, 1_024)] public int SnapshotOnDeactivationEventsMin { get; set; } = 4;
    [Range(1, 10_000)] public int SnapshotsPerSecondMax { get; set; } = 50;
    [Range(1, 64)] public int SnapshotWritesMax { get; set; } = 4;

    // Answers.
    [Range(1, 10_000)] public int PageEventsMax { get; set; } = 1_000;
    [Range(1, 10_000)] public int PageFingerprintsMax { get; set; } = 1_000;

    // Properties of a page of events: it ends early with the event that exceeds this.
    [Range(PropertiesBytesCeiling, 1 << 28)] public int PageBytesMax { get; set; } = PropertiesBytesCeiling;

    // Large answers are held until their readers have taken them: all together so many bytes, then 503. A reader that takes fewer
    // bytes a second is ended: 1 MiB is held for five minutes at most.
    [Range(1, 1 << 30)] public int AnswerBytesMax { get; set; } = 64 * 1024 * 1024;
    [Range(1, 1 << 20)] public int AnswerBytesPerSecondMin { get; set; } = 4 * 1024;

    // UTC days over which unique fingerprints are counted: each costs a scan of its visits.
    [Range(1, 36_500)] public int UniquesDaysMax { get; set; } = 366;

    // Of totals: 90 days by the hour in ten groups are 21,600 points, and in JSON some 2 MB.
    [Range(1, 1_000_000)] public int PointsMax { get; set; } = 25_000;
    [Range(1, 100_000)] public int TopMax { get; set; } = 1_000;

    // Questions that read many rows, asked at once and waiting: what is left of the connections and the database is events'.
    // Pages of one fingerprint's events likewise.
    [Range(1, 100)] public int QuestionsMax { get; set; } = 4;
    [Range(1, 100)] public int PagesMax { get; set; } = 4;
    [Range(0, 100_000)] public int QuestionsWaitingMax { get; set; } = 256;

    // Live streams. A reader holds a connection and some 20 KB. One whose queue is full is cut off: it holds some 8,000 usual
    // events, or 60 of the largest, and all readers of a fingerprint share their bytes.
    [Range(1, 1_000_000)] public int LiveReadersMax { get; set; } = 10_000;
    [Range(1, 1 << 28)] public int LiveQueueBytesMax { get; set; } = 2 * 1024 * 1024;

    // What all readers of live streams have still to take, each text counted once however many readers share it. Beyond it those
    // that lag are cut off, and new readers of the counts are refused.
    [Range(1, 1 << 30)] public int LiveBytesMax { get; set; } = 128 * 1024 * 1024;

    // Reading the log for them: a page, the bytes of properties with which it ends early, and pages at once. However many come back
    // together, events and loads find connections; each holds its page until it has sent it.
    [Range(1, 10_000)] public int LivePageEventsMax { get; set; } = 100;
    [Range(1, 1 << 20)] public int LivePageBytesMax { get; set; } = 64 * 1024;
    [Range(1, 64)] public int LiveReadsMax { get; set; } = 2;

    // While anyone watches a fingerprint, the log is asked for news of all that are watched so often.
    [Range(10, 10_000)] public int LiveTickMilliseconds { get; set; } = 200;

    // Exports at once: each holds a connection of its own, and a snapshot that keeps the database from clearing away what
    // is newer. A client must take so many bytes a second, and is ended else. A row group of Parquet is gathered in memory,
    // twice for a moment: until it has so many events, or so many characters of text.
    [Range(1, 100)] public int ExportsMax { get; set; } = 2;
    [Range(1, 1 << 20)] public int ExportBytesPerSecondMin { get; set; } = 4 * 1024;
    [Range(1, 1_000_000)] public int ExportRowGroupEventsMax { get; set; } = 32_768;
    [Range(1024, 1 << 28)] public int ExportRowGroupCharactersMax { get; set; } = 4 * 1024 * 1024;

    // Rollups: rows that one merge takes, so that its transaction stays short.
    [Range(1, 1_000_000)] public int MergeDeltasMax { get; set; } = 20_000;

    // Visits: batches whose visits one merge takes, each at most BatchEventsMax of them.
    [Range(1, 10_000)] public int MergeVisitBatchesMax { get; set; } = 32;

    // Fingerprints being erased at once by a silo, each on a connection of its own; others wait.
    [Range(1, 64)] public int ErasuresMax { get; set; } = 2;

    // Retention: fingerprints looked at and events removed in one step, steps in a second, how long a pass that has seen all
    // waits for the next, and fingerprints erased whole. A step, and each of these, is a transaction, and at its end all silos'
    // commits wait for its flush.
    [Range(1, 10_000)] public int PruneFingerprintsMax { get; set; } = 500;
    [Range(1, 50_000)] public int PruneEventsMax { get; set; } = 5_000;
    [Range(1, 1_000)] public int PruneStepsPerSecondMax { get; set; } = 5;
    [Range(1, 86_400)] public int PrunePauseSeconds { get; set; } = 600;
    [Range(1, 10_000)] public int ForgottenPerSecondMax { get; set; } = 20;

    // From SIGTERM until the process listens no more. It must exceed the time in which a load balancer notices that
    // readiness fails; the longest leaves half of the 30 s of a stop to the requests that are still under way.
    [Range(0, 15_000)] public int DrainMilliseconds { get; set; } = 2_000;

    // Connections to Postgres: one for each batch under way, and those for loads, pages and the merge.
    [Range(1, 8)] public int CommitsMax { get; set; } = 1;
    [Range(2, 1_000)] public int ConnectionsMax { get; set; } = 16;

    // How long a question that reads many rows may take from its turn on, a merge before it included; then it is stopped, and answered 503.
    [Range(1, 600)] public int QuestionSecondsMax { get; set; } = 10;
}
