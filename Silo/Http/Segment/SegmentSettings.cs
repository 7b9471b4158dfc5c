
namespace Tally.Silo.Http.Segment;

/// <summary>
/// What Segment's SDK for browsers asks before it sends anything: where to send it, and that it need not measure itself.
/// With this, <c>cdnURL</c> is all that it has to be told.
/// </summary>
internal static class SegmentSettings
{
    public static IResult Get(string writeKey, HttpRequest request) => new JsonAnswer<SourceSettings>(
        new(new() { ["Segment.io"] = new(writeKey, $"{request.Host}{request.PathBase}/v1", request.Scheme) }, new(0)),
        HttpJson.Default.SourceSettings);
}

internal sealed record SourceSettings(Dictionary<string, DestinationSettings> Integrations, MetricsSettings Metrics);

internal sealed record DestinationSettings(string ApiKey, string ApiHost, string Protocol);

internal sealed record MetricsSettings(int SampleRate);
