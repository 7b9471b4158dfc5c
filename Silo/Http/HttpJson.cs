using System.Text.Json;
using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Silo.Http.AbuseLimits;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Cluster;
using Tally.Silo.Http.Funnels;
using Tally.Silo.Http.Live;
using Tally.Silo.Http.Rules;
using Tally.Silo.Http.Segment;
using Tally.Silo.Http.Sessions;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Trackers.Ga4;
using Tally.Silo.Http.Trackers.GoatCounter;
using Tally.Silo.Http.Trackers.Matomo;
using Tally.Silo.Http.Trackers.Otlp;
using Tally.Silo.Http.Trackers.PostHog;
using Tally.Silo.Http.Trackers.Umami;
using Tally.Silo.Http.Verifications;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>Every type that HTTP reads and writes as JSON, with serializers generated at build time.</summary>
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
[JsonSerializable(typeof(Ga4Validation))]
[JsonSerializable(typeof(GoatCounterAnswer))]
[JsonSerializable(typeof(MatomoBulkAnswer))]
[JsonSerializable(typeof(UmamiAnswer))]
[JsonSerializable(typeof(UmamiBatchAnswer))]
[JsonSerializable(typeof(OtlpAnswer))]
[JsonSerializable(typeof(PostHogStatus))]
[JsonSerializable(typeof(PostHogSettings.PostHogFlags))]
[JsonSerializable(typeof(PostHogSettings.PostHogConfig))]
[JsonSerializable(typeof(FingerprintView))]
[JsonSerializable(typeof(EventsPage))]
[JsonSerializable(typeof(ActivityAnswer))]
[JsonSerializable(typeof(ReceiptsAnswer))]
[JsonSerializable(typeof(TotalsAnswer))]
[JsonSerializable(typeof(TopAnswer))]
[JsonSerializable(typeof(FingerprintValues))]
[JsonSerializable(typeof(AnnotationsAnswer))]
[JsonSerializable(typeof(Annotation))]
[JsonSerializable(typeof(SharesAnswer))]
[JsonSerializable(typeof(NewShare))]
[JsonSerializable(typeof(Share))]
[JsonSerializable(typeof(RetentionAnswer))]
[JsonSerializable(typeof(BreakdownAnswer))]
[JsonSerializable(typeof(FunnelAnswer))]
[JsonSerializable(typeof(FunnelsAnswer))]
[JsonSerializable(typeof(FunnelView))]
[JsonSerializable(typeof(SessionsAnswer))]
[JsonSerializable(typeof(FingerprintSessions))]
[JsonSerializable(typeof(NewSecret))]
[JsonSerializable(typeof(SampleAnswer))]
[JsonSerializable(typeof(ReplayAnswer))]
[JsonSerializable(typeof(VerificationsAnswer))]
[JsonSerializable(typeof(Verification))]
[JsonSerializable(typeof(RulesAnswer))]
[JsonSerializable(typeof(RuleView))]
[JsonSerializable(typeof(DryRunAnswer))]
[JsonSerializable(typeof(FiringsPage))]
[JsonSerializable(typeof(ClusterAnswer))]
[JsonSerializable(typeof(LiveCounts))]
[JsonSerializable(typeof(FeedEvent))]
[JsonSerializable(typeof(FeedClockFiring))]
[JsonSerializable(typeof(FingerprintsPage))]
[JsonSerializable(typeof(UniquesAnswer))]
[JsonSerializable(typeof(PresentAnswer))]
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(HealthReport))]
[JsonSerializable(typeof(IgnoredRequest))]
internal sealed partial class HttpJson : JsonSerializerContext;

/// <summary>Any JSON value, as the text that it was written in.</summary>
internal sealed class RawJson : JsonConverter<string>
{
    public override string Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        using var document = JsonDocument.ParseValue(ref reader);
        return document.RootElement.GetRawText();
    }

    public override void Write(Utf8JsonWriter writer, string value, JsonSerializerOptions options) =>
        writer.WriteRawValue(value, skipInputValidation: true);
}
