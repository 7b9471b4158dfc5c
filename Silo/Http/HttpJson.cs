using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Segment;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;

namespace Tally.Silo.Http;

/// <summary>Every shape that HTTP reads and writes, made at build time: no reflection on a request's way.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    AllowDuplicateProperties = false)]
[JsonSerializable(typeof(Refusal))]
[JsonSerializable(typeof(EventFields))]
[JsonSerializable(typeof(EventFields[]))]
[JsonSerializable(typeof(Receipt))]
[JsonSerializable(typeof(BatchReceipt))]
[JsonSerializable(typeof(SegmentSuccess))]
[JsonSerializable(typeof(SourceSettings))]
[JsonSerializable(typeof(FingerprintView))]
[JsonSerializable(typeof(EventsPage))]
[JsonSerializable(typeof(TotalsAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(LiveCounts))]
[JsonSerializable(typeof(FingerprintsPage))]
[JsonSerializable(typeof(UniquesAnswer))]
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(IgnoredRequest))]
internal sealed partial class HttpJson : JsonSerializerContext;
