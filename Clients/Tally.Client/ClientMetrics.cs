using System.Diagnostics.Metrics;

namespace Tally.Client;

/// <summary>
/// The meter <c>Tally.Client</c>: the counter <c>tally.client.events</c>, in events, by <c>outcome</c>, of all clients
/// of the process.
/// </summary>
internal static class ClientMetrics
{
    public static readonly KeyValuePair<string, object?> Recorded = new("outcome", "recorded");
    public static readonly KeyValuePair<string, object?> Refused = new("outcome", "refused");
    public static readonly KeyValuePair<string, object?> Dropped = new("outcome", "dropped");

    private static readonly Counter<long> Events = new Meter("Tally.Client").CreateCounter<long>(
        "tally.client.events", "{event}", "Events that need not be sent any more, by what became of them.");

    public static void Count(KeyValuePair<string, object?> outcome, long events)
    {
        if (events > 0) Events.Add(events, outcome);
    }
}
