using System.Text.Json;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.GoatCounter;

/// <summary>One page view or event, from a query with short names or from JSON with long ones.</summary>
internal static class GoatCounterHit
{
    /// <summary>The event of a script's query, or why it is refused.</summary>
    /// <param name="host">The page's, if the request says it.</param>
    public static BatchItem Parse(Dictionary<string, string> query, string? product, string? host)
    {
        string? Text(string name) => query.GetValueOrDefault(name);
        if (Text("p") is not { Length: > 0 } path) return new(null, Refusal.MissingField("p"));
        var isEvent = Text("e") is "true" or "1";
        var properties = new TrackerProperties();
        properties.AddPage(isEvent ? null : PageUrl.Parse(path), Text("r"), host);
        AddCampaign(properties, Text("q"));
        properties.Add("title", Text("t"));
        properties.AddScreen(Text("s"));
        if (Text("b") is { Length: > 0 } bot and not "0") properties.Add("bot", bot);
        return new(new()
        {
            Action = isEvent ? path : EventFields.PageView, // the path of an event is its name
            Product = product,
            Properties = properties.ToJson(),
        }, null);
    }

    /// <summary>The event of a hit in a batch, or why it is refused.</summary>
    public static BatchItem Parse(JsonElement hit, string? product, bool isHistory)
    {
        if (hit.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedEvent());
        if (hit.Text("path") is not { } path) return new(null, Refusal.MissingField("path"));
        var isEvent = hit.Member("event").ValueKind == JsonValueKind.True || hit.Text("event") == "1";
        var properties = new TrackerProperties();
        properties.AddPage(isEvent ? null : PageUrl.Parse(path), hit.Text("ref"));
        AddCampaign(properties, hit.Text("query"));
        foreach (var name in (ReadOnlySpan<string>)["title", "language", "location"])
            properties.Add(name, hit.Text(name));
        var size = hit.Member("size");
        properties.AddScreen(size.ValueKind != JsonValueKind.Array ? size.Text()
            : size.GetArrayLength() > 0 ? size[0].Text() : null);
        if (hit.Text("bot") is not (null or "0")) properties.Add("bot", hit.Member("bot"));
        return new(new()
        {
            Action = isEvent ? path : EventFields.PageView,
            Product = product,
            Fingerprint = hit.Text("session"),
            Timestamp = hit.Text("created_at"),
            Properties = properties.ToJson(),
            IsHistory = isHistory,
        }, null);
    }

    // The campaign may be in the page's query, which comes by itself, or in its path.
    private static void AddCampaign(TrackerProperties properties, string? query)
    {
        foreach (var (name, value) in PageUrl.Parse("/?" + query?.TrimStart('?'))!.Campaign())
            properties.Add(name, value);
    }
}
