using System.Globalization;
using System.Text.Json;
using Tally.Contracts;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.PostHog;

/// <summary>One event of an SDK: its name is the action, and its <c>distinct_id</c> the fingerprint.</summary>
internal static class PostHogEvent
{
    private const string PageView = "$pageview", NoReferrer = "$direct";

    // What becomes a field of the event, and what nobody keeps: addresses and user agents.
    private static readonly string[] NotKept =
        ["token", "distinct_id", "$distinct_id", "$insert_id", "$ip", "$raw_user_agent", "$user_agent"];

    // Beside the properties, and kept with them.
    private static readonly string[] KeptMembers = ["$set", "$set_once", "$groups"];

    /// <param name="sentAt">When the batch was sent; an event may say it, too.</param>
    /// <returns>The event's fields, unchecked, or why it is refused.</returns>
    public static BatchItem Parse(ReadOnlySpan<byte> json, string? sentAt, string? product, HttpContext sender,
        Limits limits, DateTimeOffset now)
    {
        if (json.Length > limits.EventBodyBytesMax)
            return new(null, Refusal.EventTooLarge(limits.EventBodyBytesMax));
        if (TrackerJson.Parse(json, out var sent) is { } malformed) return new(null, malformed);
        if (sent.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedEvent());
        var fields = FieldsOf(sent, sent.Member("properties"), product);
        fields.ClientTimestamp = fields.Timestamp;
        fields.Timestamp = SenderClock.Corrected(fields.Timestamp, sent.Text("sent_at") ?? sentAt, now)
            ?? TimeBefore(now, sent.Text("offset"));
        fields.IsHistory = TrackerIntake.MayWriteHistory(sender);
        fields.CountsOnArrival = true;
        return new(fields, null);
    }

    /// <summary>The fields of an event as PostHog keeps it, too.</summary>
    /// <param name="properties">The event's.</param>
    public static EventFields FieldsOf(JsonElement sent, JsonElement properties, string? product)
    {
        var name = sent.Text("event");
        return new()
        {
            Action = name == PageView ? EventFields.PageView : name,
            Product = product,
            Fingerprint = sent.Text("distinct_id", "$distinct_id") ?? properties.Text("distinct_id", "$distinct_id"),
            Id = sent.Text("uuid") ?? properties.Text("$insert_id"),
            Timestamp = sent.Text("timestamp"),
            Properties = PropertiesOf(sent, properties, isView: name == PageView),
        };
    }

    // Old SDKs send how many milliseconds ago it was.
    private static string? TimeBefore(DateTimeOffset now, string? offset) =>
        long.TryParse(offset, NumberStyles.None, CultureInfo.InvariantCulture, out var milliseconds)
            && milliseconds <= now.ToUnixTimeMilliseconds()
            ? now.AddMilliseconds(-milliseconds).UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : null;

    private static string? PropertiesOf(JsonElement sent, JsonElement properties, bool isView)
    {
        var kept = new TrackerProperties();
        if (properties.ValueKind == JsonValueKind.Object)
            foreach (var member in properties.EnumerateObject())
                if (!NotKept.Contains(member.Name)) kept.Add(member.Name, member.Value);
        foreach (var name in KeptMembers) kept.Add(name, sent.Member(name));
        if (isView)
        {
            var referrer = properties.Text("$referrer");
            kept.AddPage(PageUrl.Parse(properties.Text("$current_url")), referrer == NoReferrer ? null : referrer);
            kept.AddScreen(properties.Text("$viewport_width"));
            kept.Add("language", properties.Text("$browser_language"));
        }
        return kept.ToJson();
    }
}
