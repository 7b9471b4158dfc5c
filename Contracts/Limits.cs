using System.ComponentModel.DataAnnotations;

namespace Tally.Contracts;

/// <summary>
/// Every maximum in Tally, in one place. The configuration key <c>Limits:NAME</c> sets it, for example the environment
/// variable <c>Limits__QueueEventsMax</c>. A value outside its range ends the process at start.
/// </summary>
public sealed class Limits
{
    /// <summary>The highest <see cref="EventIdCharactersMax"/>: ids are hashed on the stack.</summary>
    public const int EventIdCharactersCeiling = 256;

    /// <summary>The highest <see cref="FingerprintBytesMax"/>: no row of the log has a longer fingerprint.</summary>
    public const int FingerprintBytesCeiling = 1024;

    /// <summary>
    /// Days for which a fingerprint counts its events by day. Fixed: an older snapshot lacks what a higher value would
    /// need.
    /// </summary>
    public const int ActivityDaysMax = 30;

    /// <summary>The highest <see cref="PropertiesBytesMax"/>: one event always fits into a page.</summary>
    public const int PropertiesBytesCeiling = 1 << 20;

    // What one event may hold. Raising these is safe; lowering them does not change recorded events.
    [Range(1, FingerprintBytesCeiling)] public int FingerprintBytesMax { get; set; } = 256;
    [Range(1, 1024)] public int ActionBytesMax { get; set; } = 256;
    [Range(1, 1024)] public int ProductBytesMax { get; set; } = 256;
    [Range(1, EventIdCharactersCeiling)] public int EventIdCharactersMax { get; set; } = 128;
    [Range(2, PropertiesBytesCeiling)] public int PropertiesBytesMax { get; set; } = 32 * 1024;
    [Range(1024, 1 << 20)] public int EventBodyBytesMax { get; set; } = 64 * 1024;

    // How far a client's time may be from this server's: behind it for a device that was offline, ahead of it for a
    // wrong clock.
    [Range(0, 36_500)] public int TimestampPastDaysMax { get; set; } = 30;
    [Range(0, 1_000_000)] public int TimestampAheadMinutesMax { get; set; } = 5;

    // A batch, decompressed. It is recorded in parts, and only one part is in memory at a time.
    [Range(1, 1_000_000)] public int BatchBodyEventsMax { get; set; } = 5_000;
    [Range(1024, 1 << 30)] public int BatchBodyBytesMax { get; set; } = 4 * 1024 * 1024;
    [Range(1, 50_000)] public int BatchPartEventsMax { get; set; } = 1_000;
    // A part is read once so many of its bytes have arrived, so that a slow sender keeps no room from others.
    [Range(1, 1 << 20)] public int BatchReadAheadBytesMax { get; set; } = 256 * 1024;

    // Distinct (product, action) pairs of one fingerprint: keeps a grain's memory and its snapshot small.
    [Range(1, 100_000)] public int CountersMax { get; set; } = 1_000;

    // Distinct (product, action) pairs of the whole service: a minute in which all of them occur adds so many rows to
    // the rollups, and each silo remembers them, at about 200 bytes each.
    [Range(1, 10_000_000)] public int ServiceCountersMax { get; set; } = 100_000;

    // What one client may send. The default, 0, is no limit: only the operator knows whether an address is one visitor,
    // an office, a whole service or a proxy that hides everyone. An IPv6 address counts by its /64. The requests of ten
    // seconds, or the new fingerprints of a minute, may come at once.
    [Range(0, 1_000_000)] public int AddressRequestsPerSecondMax { get; set; }
    [Range(0, 1_000_000)] public int KeyRequestsPerSecondMax { get; set; }
    [Range(0, 1_000_000)] public int AddressNewFingerprintsPerMinuteMax { get; set; }
    [Range(1, 1 << 24)] public int AddressBucketsMax { get; set; } = 65_536;

    // Client connections. An idle one costs about 5 KB; beyond the limit the server closes new ones at once.
    [Range(1, 1_000_000)] public int ClientConnectionsMax { get; set; } = 20_000;

    // From a request's first byte to the end of its headers, so that a slow client does not hold a connection for long.
    [Range(1, 300)] public int HeadSecondsMax { get; set; } = 10;

    // Requests in progress at all endpoints that write. Beyond it 503: a longer queue would only make all of them late.
    // One with large properties counts as several (Event.Weight).
    [Range(1, 1_000_000)] public int RequestsMax { get; set; } = 10_000;

    // Bytes of all bodies that are read whole and are longer than SmallBodyBytesMax. Beyond it they wait, and are
    // refused at their deadline. Each byte becomes several bytes of objects.
    [Range(1024, 1 << 20)] public int SmallBodyBytesMax { get; set; } = 16 * 1024;
    [Range(1 << 16, 1 << 30)] public int LargeBodiesBytesMax { get; set; } = 64 * 1024 * 1024;
    [Range(1, 600)] public int LargeBodySecondsMax { get; set; } = 30;

    // Events of batches being recorded at once; each part counts as a full one. Beyond it parts wait as bytes, not as
    // objects, which would keep the garbage collector busy; and most of the queue below stays free for single events.
    // Beyond the second, 503.
    [Range(1, 1 << 20)] public int BatchedEventsMax { get; set; } = 16_384;
    [Range(0, 1 << 28)] public int BatchedEventsWaitingMax { get; set; } = 4_194_304;

    // Group commit. The queue holds about 4 s of a busy silo's events; a batch is one transaction; a run is one grain's
    // share of it. An event with large properties counts as several in all three (Event.Weight), so that a full queue
    // takes at most about 130 MB.
    [Range(1, 1 << 20)] public int QueueEventsMax { get; set; } = 65_536;
    [Range(1, 50_000)] public int BatchEventsMax { get; set; } = 5_000;
    [Range(1, 50_000)] public int RunEventsMax { get; set; } = 1_000;

    // What goes to each other silo: waiting, beyond which 503, and in one message. By Event.Weight.
    [Range(1, 1 << 20)] public int PeerQueueEventsMax { get; set; } = 16_384;
    [Range(1, 50_000)] public int PeerGroupEventsMax { get; set; } = 1_000;

    // Loading. The newest events that one load returns are also the ids that a grain knows without asking. It must
    // exceed SnapshotEventsMax, so that a snapshot and one load together are the whole state.
    [Range(8, 1_024)] public int RememberedEventsMax { get; set; } = 64;
    [Range(1, 10_000)] public int LoadFingerprintsMax { get; set; } = 256;
    [Range(1, 1 << 20)] public int LoadQueueMax { get; set; } = 65_536;

    // What tells new fingerprints from those that the log may have: 16 MiB serve about 20 million. Beyond that more and
    // more new ones are looked for in vain. With 0 all are.
    [Range(0, 1 << 29)] public int KnownFingerprintsBytesMax { get; set; } = 16 * 1024 * 1024;
    [Range(1, 100_000)] public int KnownFingerprintsPageMax { get; set; } = 5_000;

    // Fingerprints in memory, at 2 to 3 KB each with a short history. Others are loaded at their next event.
    [Range(1, 100_000_000)] public int ResidentFingerprintsMax { get; set; } = 120_000;

    // Snapshots: due after so many events since the last one, or on deactivation if enough events are new. They take
    // turns: each costs about 1 ms of two processors, and written as soon as they were due they took a third of the
    // throughput. Events that come meanwhile are read page by page when the grain loads.
    [Range(1, 1_024)] public int SnapshotEventsMax { get; set; } = 32;
    [Range(1, 1_024)] public int SnapshotOnDeactivationEventsMin { get; set; } = 4;
    [Range(1, 10_000)] public int SnapshotsPerSecondMax { get; set; } = 50;
    [Range(1, 64)] public int SnapshotWritesMax { get; set; } = 4;

    // Annotations of all products.
    [Range(0, 100_000)] public int AnnotationsMax { get; set; } = 1_000;
    [Range(1, 65_536)] public int AnnotationBytesMax { get; set; } = 1_024;

    // Shared views.
    [Range(0, 10_000)] public int SharesMax { get; set; } = 100;
    [Range(1, 1_024)] public int ShareNameBytesMax { get; set; } = 128;

    // Answers.
    [Range(1, 10_000)] public int PageEventsMax { get; set; } = 1_000;
    [Range(1, 10_000)] public int PageFingerprintsMax { get; set; } = 1_000;

    // Bytes of properties in a page of events: it ends early with the event that exceeds this.
    [Range(PropertiesBytesCeiling, 1 << 28)] public int PageBytesMax { get; set; } = PropertiesBytesCeiling;

    // Large answers are held until their readers have taken them: so many bytes of all together, then 503. A reader
    // that takes fewer bytes a second is cut off, so 1 MiB is held for five minutes at most.
    [Range(1, 1 << 30)] public int AnswerBytesMax { get; set; } = 64 * 1024 * 1024;
    [Range(1, 1 << 20)] public int AnswerBytesPerSecondMin { get; set; } = 4 * 1024;

    // Days over which unique fingerprints are counted: each costs a scan of that day's visits.
    [Range(1, 36_500)] public int UniquesDaysMax { get; set; } = 366;

    // Distinct values of a dimension, on one day of one product. What comes after them counts as other.
    [Range(1, 1_000_000)] public int DimensionValuesMax { get; set; } = 10_000;

    // Steps of a funnel, and days in which they may follow the first: a scan of the log reads so many more.
    [Range(2, 64)] public int FunnelStepsMax { get; set; } = 8;
    [Range(1, 3_650)] public int FunnelWithinDaysMax { get; set; } = 90;

    // Funnels that are kept by name: each is folded with every event of its product. And changes that one fold takes,
    // to keep its transaction short: a change is a fingerprint with new events, whose whole history is read.
    [Range(0, 1_000)] public int FunnelsMax { get; set; } = 50;
    [Range(1, 100_000)] public int FoldChangesMax { get; set; } = 500;

    // Rules in force, filters of a clause, and bytes of a rule's JSON. And versions of all rules, ever: the log names
    // them, and each silo keeps them in memory, at about 2 KB each.
    [Range(0, 1_000)] public int RulesMax { get; set; } = 50;
    [Range(0, 64)] public int RuleFiltersMax { get; set; } = 8;
    [Range(256, 1 << 20)] public int RuleBytesMax { get; set; } = 32 * 1024;
    [Range(1, 1_000_000)] public int RuleVersionsMax { get; set; } = 10_000;

    // Deadlines that one transaction fires.
    [Range(1, 10_000)] public int FireDeadlinesMax { get; set; } = 500;

    // Lengths of time that one question keeps for exact medians, at 8 bytes each and twice as much while they are
    // sorted. A funnel has two for each fingerprint and step after the first.
    [Range(1, 1 << 28)] public int MedianTimesMax { get; set; } = 4_000_000;

    // Points of totals: 90 days by the hour in ten groups are 21,600, about 2 MB of JSON.
    [Range(1, 1_000_000)] public int PointsMax { get; set; } = 25_000;
    [Range(1, 100_000)] public int TopMax { get; set; } = 1_000;

    // Queries that read many rows, and pages of one fingerprint's events: so many at once, others wait. The rest of the
    // connections and of the database is for events.
    [Range(1, 100)] public int QuestionsMax { get; set; } = 4;
    [Range(1, 100)] public int PagesMax { get; set; } = 4;
    [Range(0, 100_000)] public int QuestionsWaitingMax { get; set; } = 256;

    // Live streams. A reader takes a connection and about 20 KB, and is cut off when its queue is full. The queue holds
    // about 8,000 usual events or 60 of the largest; all readers of a fingerprint share their bytes.
    [Range(1, 1_000_000)] public int LiveReadersMax { get; set; } = 10_000;
    [Range(1, 1 << 28)] public int LiveQueueBytesMax { get; set; } = 2 * 1024 * 1024;

    // Bytes that the readers of live streams have still to take; those that readers share count once. Beyond it readers
    // that lag are cut off, and new readers of the counts are refused.
    [Range(1, 1 << 30)] public int LiveBytesMax { get; set; } = 128 * 1024 * 1024;

    // Their reads of the log: events in a page, bytes of properties at which it ends early, and pages at once, so that
    // events and loads find connections however many readers return together. A reader holds its page until it has sent
    // it.
    [Range(1, 10_000)] public int LivePageEventsMax { get; set; } = 100;
    [Range(1, 1 << 20)] public int LivePageBytesMax { get; set; } = 64 * 1024;
    [Range(1, 64)] public int LiveReadsMax { get; set; } = 2;

    // While any fingerprint is watched, the log is asked for the news of all of them this often.
    [Range(10, 10_000)] public int LiveTickMilliseconds { get; set; } = 200;

    // Events of all fingerprints that a merge of visits tells the readers of all events, about once a second. They are
    // told how many there were beyond it.
    [Range(1, 10_000)] public int LiveAllEventsMax { get; set; } = 500;

    // Exports at once: each holds a connection of its own, and a snapshot that keeps the database from vacuuming newer
    // rows. A client that takes fewer bytes a second is cut off. A row group of Parquet is gathered in memory, for a
    // moment twice, until it has so many events or so many characters of text.
    [Range(1, 100)] public int ExportsMax { get; set; } = 2;
    [Range(1, 1 << 20)] public int ExportBytesPerSecondMin { get; set; } = 4 * 1024;
    [Range(1, 1_000_000)] public int ExportRowGroupEventsMax { get; set; } = 32_768;
    [Range(1024, 1 << 28)] public int ExportRowGroupCharactersMax { get; set; } = 4 * 1024 * 1024;

    // Proofs that people ask for, one at a time: events that it reads in a second, so that processors are left for
    // those that come, and rollups that it holds in memory, at about 200 bytes each. Beyond it, app verify.
    [Range(500, 10_000_000)] public int VerificationEventsPerSecondMax { get; set; } = 50_000;
    [Range(1, 100_000_000)] public int VerificationRollupsMax { get; set; } = 2_000_000;

    // How long a person who has signed in stays so; a use in the second half begins it anew.
    [Range(1, 31_536_000)] public int SessionSeconds { get; set; } = 43_200;

    // Rollups: rows that one merge takes, to keep its transaction short.
    [Range(1, 1_000_000)] public int MergeDeltasMax { get; set; } = 20_000;

    // Visits and dimensions: batches that one merge takes, each with at most BatchEventsMax visits.
    [Range(1, 10_000)] public int MergeVisitBatchesMax { get; set; } = 32;

    // Fingerprints that a silo erases at once, each on a connection of its own; others wait.
    [Range(1, 64)] public int ErasuresMax { get; set; } = 2;

    // Retention: fingerprints examined and events removed in one step, steps a second, the pause between two passes,
    // and fingerprints erased whole in a second. Each step and each erasure is a transaction, and all silos' commits
    // wait for its flush.
    [Range(1, 10_000)] public int PruneFingerprintsMax { get; set; } = 500;
    [Range(1, 50_000)] public int PruneEventsMax { get; set; } = 5_000;
    [Range(1, 1_000)] public int PruneStepsPerSecondMax { get; set; } = 5;
    [Range(1, 86_400)] public int PrunePauseSeconds { get; set; } = 600;
    [Range(1, 10_000)] public int ForgottenPerSecondMax { get; set; } = 20;

    // Webhooks: tries at once, of a silo and to one host, and how long one may take.
    [Range(1, 1_000)] public int WebhookTriesMax { get; set; } = 32;
    [Range(1, 100)] public int WebhookTriesPerHostMax { get; set; } = 4;
    [Range(1, 300)] public int WebhookTrySecondsMax { get; set; } = 20;

    // A firing that a silo has taken comes back after so long if the silo dies. It should exceed the time of a try by
    // far: a silo that is slow to note an answer would see it sent twice.
    [Range(2, 3_600)] public int WebhookLeaseSeconds { get; set; } = 60;

    // The delays before each further try, up to a tenth longer; then a firing is parked. By default 5 s, 5 and 30
    // minutes, 2, 5, 10, 14, 20 and 24 hours, as the Standard Webhooks specification proposes.
    [RegularExpression("[0-9]{1,6}(,[0-9]{1,6}){0,19}")]
    public string WebhookRetrySeconds { get; set; } = "5,300,1800,7200,18000,36000,50400,72000,86400";

    // How often a silo asks for firings that are due while it has none.
    [Range(10, 10_000)] public int WebhookTickMilliseconds { get; set; } = 250;

    // Firings that one request makes pending again.
    [Range(1, 100_000)] public int ReplayFiringsMax { get; set; } = 10_000;

    // From SIGTERM until the process stops listening. It must exceed the time in which a load balancer notices that
    // readiness fails. The highest value leaves half of a stop's 30 s to requests in progress.
    [Range(0, 15_000)] public int DrainMilliseconds { get; set; } = 2_000;

    // Connections to Postgres: for batches being committed, and for loads, pages and the merge.
    [Range(1, 8)] public int CommitsMax { get; set; } = 1;
    [Range(2, 1_000)] public int ConnectionsMax { get; set; } = 16;

    // How long a query that reads many rows may take once its turn has come, including a merge before it. Then it is
    // stopped, and answered 503.
    [Range(1, 600)] public int QuestionSecondsMax { get; set; } = 10;

    // Until a silo that is asked for its figures is shown without. What it answers takes a millisecond; one that is
    // paused is declared dead after some seconds.
    [Range(10, 60_000)] public int SiloAnswerMillisecondsMax { get; set; } = 1_000;
}
