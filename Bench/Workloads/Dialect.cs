using Tally.Bench.Client;

namespace Tally.Bench.Workloads;

/// <summary>How a server is asked.</summary>
internal abstract class Dialect
{
    private const int BatchEvents = 1_000;
    private const string FormType = "application/x-www-form-urlencoded";
    private const string Visitor = "v-" + PreparedRequest.Fingerprint;

    // A UUID, like the ids that clients make.
    private const string EventId = "5f0c1e7a-3b52-4c19-9d6e-" + PreparedRequest.Id;

    public abstract PreparedRequest Prepare(Ask ask);

    /// <summary>Tally's dialect, which this benchmark's servers speak too.</summary>
    public static Dialect Events { get; } = new EventsDialect();

    /// <summary>
    /// Webdis's dialect: a Redis command with its words separated by slashes. A fingerprint is a hash, a counter a
    /// field.
    /// </summary>
    public static Dialect Webdis { get; } = new WebdisDialect();

    private sealed class EventsDialect : Dialect
    {
        public override PreparedRequest Prepare(Ask ask) => ask switch
        {
            Ask.RecordEvent =>
                PreparedRequest.Post("/api/events", FormType, $"action=view&product=k8s&fingerprint={Visitor}"),
            Ask.RecordEventWithId =>
                PreparedRequest.Post("/api/events", FormType,
                    $"action=view&product=k8s&fingerprint={Visitor}&id={EventId}"),
            Ask.RecordEventWithDimensions => PreparedRequest.Post("/api/events", "application/json",
                $$"""{"action":"view","product":"k8s","fingerprint":"{{Visitor}}",""" + "\"properties\":"
                + $$"""{"path":"/{{PreparedRequest.Id}}","referrer":"search.example",""" + "\"title\":\"A page\","
                + """ "language":"en-GB","screen":1024}}"""),
            Ask.RecordBatch => PreparedRequest.Post("/api/events/batch", "application/json", $"[{string.Join(',',
                Enumerable.Repeat(
                    $$"""{"action":"view","product":"k8s","fingerprint":"{{Visitor}}"}""", BatchEvents))}]"),
            Ask.ReadCounters => PreparedRequest.Get($"/api/fingerprints/{Visitor}"),
            Ask.ReadTotals =>
                PreparedRequest.Get(
                    "/api/totals?bucket=hour"
                    + $"&from={DateTime.UtcNow.AddDays(-Parts.Totals.Days):yyyy-MM-dd'T'HH':00:00Z'}"),
            _ => throw new ArgumentOutOfRangeException(nameof(ask)),
        };
    }

    private sealed class WebdisDialect : Dialect
    {
        public override PreparedRequest Prepare(Ask ask) => ask switch
        {
            Ask.RecordEvent => PreparedRequest.Post("/", FormType, $"HINCRBY/{Visitor}/k8s.view/1"),
            Ask.ReadCounters => PreparedRequest.Get($"/HGETALL/{Visitor}"),
            _ => throw new NotSupportedException($"Redis has no {ask}."),
        };
    }
}
