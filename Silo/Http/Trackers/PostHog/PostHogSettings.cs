using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Tally.Silo.Http.Trackers.PostHog;

/// <summary>
/// What PostHog's SDKs ask for: the settings of a project that has no more than events, and flags, of which there are
/// none. So they neither fail nor load what would record screens or show surveys.
/// </summary>
internal static class PostHogSettings
{
    // Relative to the SDK's host, as PostHog answers it.
    private static readonly AnalyticsSettings Analytics = new("/i/v0/e/");

    private static readonly string[] Compression = ["gzip", "gzip-js", "base64"];

    public static void MapPostHogSettings(this IEndpointRouteBuilder routes)
    {
        foreach (var path in (string[])["/decide", "/flags"])
        {
            routes.MapPost(path, GetFlags);
            routes.MapGet(path, GetFlags);
        }
        routes.MapGet("/array/{token}/config", (string token, HttpContext context) => GetSettings(token, context));
        routes.MapGet("/array/{token}/config.js", (string token, HttpContext context) => GetScript(token, context));
    }

    private static JsonAnswer<PostHogFlags> GetFlags(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return new(new(), HttpJson.Default.PostHogFlags);
    }

    private static JsonAnswer<PostHogConfig> GetSettings(string token, HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        return new(new(token), HttpJson.Default.PostHogConfig);
    }

    // A page loads it as a script. The encoder escapes what could end one.
    private static ContentHttpResult GetScript(string token, HttpContext context)
    {
        PixelEndpoint.AllowAnyPage(context.Response);
        var name = JsonSerializer.Serialize(token, HttpJson.Default.String);
        var settings = JsonSerializer.Serialize(new(token), HttpJson.Default.PostHogConfig);
        return TypedResults.Text(
            "(window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{})"
            + $"[{name}]={{config:{settings},siteApps:[]}}", "text/javascript");
    }

    internal sealed record AnalyticsSettings(string Endpoint);

    internal sealed record PostHogConfig(string Token)
    {
        public AnalyticsSettings Analytics { get; } = PostHogSettings.Analytics;
        public string[] SupportedCompression { get; } = Compression;
        public bool HasFeatureFlags { get; }
        public bool DefaultIdentifiedOnly { get; } = true;
        [JsonPropertyName("autocapture_opt_out")]
        public bool AutocaptureOptOut { get; }
        public bool AutocaptureExceptions { get; }
        public bool CaptureDeadClicks { get; }
        public bool CapturePerformance { get; }
        public bool ElementsChainAsString { get; } = true;
        public bool Heatmaps { get; }
        public bool SessionRecording { get; }
        public bool Surveys { get; }
        public bool ProductTours { get; }
        public bool Conversations { get; }
        public string[] SiteApps { get; } = [];
    }

    internal sealed record PostHogFlags
    {
        public Dictionary<string, string> Flags { get; } = [];
        public Dictionary<string, string> FeatureFlags { get; } = [];
        public Dictionary<string, string> FeatureFlagPayloads { get; } = [];
        public bool ErrorsWhileComputingFlags { get; }
        public bool SessionRecording { get; }
        public string[] SupportedCompression { get; } = Compression;
        public string[] SiteApps { get; } = [];
        public Dictionary<string, string> Config { get; } = [];
        public Dictionary<string, string> ToolbarParams { get; } = [];
        public bool IsAuthenticated { get; }
    }
}
