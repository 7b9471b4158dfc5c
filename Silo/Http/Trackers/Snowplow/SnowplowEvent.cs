using System.Text;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.Snowplow;

/// <summary>One event of the tracker protocol: parameters by their short names.</summary>
internal static class SnowplowEvent
{
    private const string View = "pv", SelfDescribing = "ue";

    // What becomes a field of the event or is taken apart, and what nobody keeps: addresses and user agents.
    private static readonly string[] NotKept =
        ["e", "eid", "aid", "dtm", "stm", "ttm", "ue_px", "ue_pr", "cx", "co", "ip", "ua", "writeKey"];

    // A view's that have other names in the properties.
    private static readonly string[] Renamed = ["page", "refr", "lang", "vp"];

    // The visitor's, the most lasting first. The last one is a person's, and may change while the visitor stays.
    private static readonly string[] Visitors = ["duid", "nuid", "tnuid", "uid"];

    /// <returns>The event's fields, unchecked, or why it is refused.</returns>
    public static BatchItem Parse(Dictionary<string, string> sent, HttpContext sender, Limits limits,
        DateTimeOffset now)
    {
        string? Text(string name) => sent.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;

        if (TrackerIntake.FindProduct(sender, null, Text("aid"), out var product) is { } closed)
            return new(null, closed);
        if (Unpack(sent, "ue_px", "ue_pr", limits, out var described) is { } malformed) return new(null, malformed);
        if (Unpack(sent, "cx", "co", limits, out var contexts) is { } broken) return new(null, broken);
        described = described.Member("data"); // in an envelope of its own
        var kind = Text("e");
        var action = kind switch
        {
            View => EventFields.PageView,
            "pp" => "page_ping",
            "se" => Text("se_ac"),
            "tr" => "transaction",
            "ti" => "transaction_item",
            SelfDescribing => NameIn(described.Text("schema")),
            _ => null,
        };
        if (action is null)
            return new(null, kind switch
            {
                "se" => Refusal.MissingField("se_ac"),
                SelfDescribing => Refusal.MissingField("ue_pr"),
                _ => Refusal.UnknownValue("e", "pv, pp, se, ue, tr or ti"),
            });
        var visitor = Visitors.FirstOrDefault(name => Text(name) is not null);
        var properties = new TrackerProperties();
        if (kind == SelfDescribing)
        {
            properties.AddMembersOf(described.Member("data"));
            properties.Add("schema", described.Member("schema"));
        }
        if (kind == View) AddView(properties, Text);
        foreach (var (name, value) in sent)
            if (!NotKept.Contains(name) && name != visitor && !(kind == View && Renamed.Contains(name)))
                properties.Add(name, value);
        properties.Add("contexts", contexts.Member("data"));
        return new(new()
        {
            Action = action,
            Product = product,
            Fingerprint = visitor is null ? null : Text(visitor),
            Id = Text("eid"),
            Timestamp = Text("ttm") ?? SenderClock.Corrected(Text("dtm"), Text("stm"), now),
            ClientTimestamp = Text("ttm") ?? Text("dtm"),
            Properties = properties.ToJson(),
            IsHistory = TrackerIntake.MayWriteHistory(sender),
            CountsOnArrival = true,
        }, null);
    }

    private static void AddView(TrackerProperties properties, Func<string, string?> text)
    {
        properties.AddPage(PageUrl.Parse(text("url")), text("refr"));
        properties.Add("title", text("page"));
        properties.Add("language", text("lang"));
        properties.AddScreen(text("vp"));
    }

    // JSON that comes in base64, or as it is.
    private static Refusal? Unpack(Dictionary<string, string> sent, string packedName, string plainName, Limits limits,
        out JsonElement json)
    {
        json = default;
        var text = sent.GetValueOrDefault(packedName) is { Length: > 0 } packed
            ? LenientBase64.Decode(packed, limits.EventBodyBytesMax)
            : Encoding.UTF8.GetBytes(sent.GetValueOrDefault(plainName, ""));
        if (text is null) return Refusal.MalformedBody($"The parameter {packedName} is not base64.");
        return text.Length == 0 ? null : TrackerJson.Parse(text, out json);
    }

    // iglu:com.acme/button_click/jsonschema/1-0-0
    private static string? NameIn(string? schema) =>
        schema?.Split('/') is [_, { Length: > 0 } name, _, _] ? name : null;
}
