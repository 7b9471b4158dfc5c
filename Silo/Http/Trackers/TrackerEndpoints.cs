using Tally.Silo.Http.Trackers.CloudEvents;
using Tally.Silo.Http.Trackers.Ga4;
using Tally.Silo.Http.Trackers.GoatCounter;
using Tally.Silo.Http.Trackers.Matomo;
using Tally.Silo.Http.Trackers.Otlp;
using Tally.Silo.Http.Trackers.PostHog;
using Tally.Silo.Http.Trackers.Snowplow;
using Tally.Silo.Http.Trackers.Umami;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// The protocols of other tools: their scripts and SDKs send events here if only their address is changed. Each tool
/// has a name, by which <c>-trackers</c> lets it in, and maps its own paths.
/// </summary>
internal static class TrackerEndpoints
{
    private static readonly (string Name, Action<IEndpointRouteBuilder> Map)[] Tools =
    [
        ("plausible", PlausibleEndpoint.MapPlausible),
        ("umami", UmamiEndpoints.MapUmami),
        ("goatcounter", GoatCounterEndpoints.MapGoatCounter),
        ("matomo", MatomoEndpoints.MapMatomo),
        ("posthog", PostHogEndpoints.MapPostHog),
        ("ga4", Ga4Endpoints.MapGa4),
        ("snowplow", SnowplowEndpoints.MapSnowplow),
        ("cloudevents", CloudEventsEndpoint.MapCloudEvents),
        ("otlp", OtlpEndpoint.MapOtlp),
    ];

    /// <summary>The names of all tools.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Tools.Select(tool => tool.Name)];

    /// <param name="writing">The group of the endpoints that take events.</param>
    /// <param name="names">The tools that are let in. The paths of any other are as unknown as if there were none.
    /// </param>
    public static void MapTrackers(this IEndpointRouteBuilder writing, IReadOnlyList<string> names)
    {
        var trackers = writing.MapGroup("");
        trackers.ExcludeFromDescription(); // each tool documents its own
        trackers.AllowAnonymous(); // the key may be in the body: TrackerIntake authorizes the request
        foreach (var (name, map) in Tools)
            if (names.Contains(name)) map(trackers);
    }
}
