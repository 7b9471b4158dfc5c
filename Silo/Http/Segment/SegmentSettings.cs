namespace Tally.Silo.Http.Segment;

/// <summary>
/// What Segment's SDK for browsers asks before it sends anything: where to send it, and that it need not measure itself.
/// With this, <c>cdnURL</c> is all that it has to be told.
/// </summary>
internal static class SegmentSettings
{
    public static IResult Get(string writeKey, HttpContext context)
    {
        var request = context.Request;
        // Whoever claims this of himself is told the same of himself, and nobody else: it need not be a trusted proxy's.
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
