using System.Text.Json;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.Umami;

/// <summary>
/// One message of Umami: an event, which is a page view if it has no name, what is known of a visitor (identify), or
/// how fast a page was (performance).
/// </summary>
internal static class UmamiMessage
{
    private const string Event = "event";

    private static readonly string[] Types = [Event, "identify", "performance"];

    // Kept under their own names. A sender's ip and userAgent are not, and the page has none of the rest.
    private static readonly string[] KeptMembers =
        ["hostname", "tag", "browser", "os", "device", "lcp", "inp", "cls", "fcp", "ttfb"];

    /// <param name="product">The key's product; null if the message names it.</param>
    public static BatchItem Parse(JsonElement json, string? product, bool isHistory)
    {
        if (json.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedEvent());
        var type = json.Text("type");
        if (!Types.Contains(type)) return new(null, Refusal.UnknownValue("type", string.Join(", ", Types)));
        var payload = json.Member("payload");
        if (payload.ValueKind != JsonValueKind.Object) return new(null, Refusal.MissingField("payload"));
        var data = payload.FirstOf("data");
        if (data.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
            return new(null, Refusal.InvalidProperties(PropertiesJson.DepthMax));
        return new(new()
        {
            Action = type != Event ? type : payload.Text("name") ?? EventFields.PageView,
            Product = product ?? payload.Text("website", "pixel", "link"),
            Fingerprint = payload.Text("id"),
            Timestamp = payload.Text("timestamp"),
            Properties = PropertiesOf(payload, data),
            IsHistory = isHistory,
        }, null);
    }

    private static string? PropertiesOf(JsonElement payload, JsonElement data)
    {
        var properties = new TrackerProperties();
        properties.AddMembersOf(data);
        // Older scripts send a path instead of an address.
        properties.AddPage(PageUrl.Parse(payload.Text("url")), payload.Text("referrer"), payload.Text("hostname"));
        properties.AddScreen(payload.Text("screen"));
        foreach (var name in (ReadOnlySpan<string>)["title", "language"]) properties.Add(name, payload.Text(name));
        foreach (var name in KeptMembers) properties.Add(name, payload.Member(name));
        return properties.ToJson();
    }
}
