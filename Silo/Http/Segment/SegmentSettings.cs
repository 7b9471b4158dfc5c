namespace Tally.Silo.Http.Segment;

/// <summary>
/// The settings that Segment's SDK for browsers fetches before it sends anything: where to send events, and to send no
/// metrics. So <c>cdnURL</c> is the only thing that a page has to configure.
/// </summary>
internal static class SegmentSettings
{
    public static IResult Get(string writeKey, HttpContext context)
    {
        var request = context.Request;
        // The header need not come from a trusted proxy: a client that forges it misleads only itself.
        var protocol = request.Headers["X-Forwarded-Proto"] == "https" ? "https" : request.Scheme;
        context.Response.Headers.CacheControl = "no-store";
        return new JsonAnswer<SourceSettings>(
            new(new() { ["Segment.io"] = new(writeKey, $"{request.Host}/v1", protocol) }, new(SampleRate: 0)),
            HttpJson.Default.SourceSettings);
    }
}

internal sealed record SourceSettings(Dictionary<string, DestinationSettings> Integrations, MetricsSettings Metrics);

internal sealed record DestinationSettings(string ApiKey, string ApiHost, string Protocol);

internal sealed record MetricsSettings(int SampleRate);
