using System.Text.Json;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>A CloudEvent as a JSON object, in which its attributes and its data are members.</summary>
internal static class StructuredCloudEvent
{
    private const string Base64 = "data_base64"; // data that is not JSON

    public static Refusal? Parse(ReadOnlySpan<byte> json, out CloudEvent? parsed)
    {
        parsed = null;
        if (TrackerJson.Parse(json, out var members) is { } malformed) return malformed;
        if (members.ValueKind != JsonValueKind.Object) return Refusal.MalformedEvent();
        var attributes = new Dictionary<string, string>();
        foreach (var member in members.EnumerateObject())
        {
            if (member.Name is CloudEventData.Name or Base64) continue;
            if (member.Value.ValueKind is JsonValueKind.Object or JsonValueKind.Array)
                return Refusal.MalformedBody("An attribute's value is a text, a number or a truth value.");
            if (TextOf(member.Value) is { } text) attributes.Add(member.Name, text);
        }
        var base64 = members.FirstOf(Base64);
        var properties = new TrackerProperties();
        properties.Add(Base64, base64);
        CloudEventData.Add(members.FirstOf(CloudEventData.Name), properties);
        var isJson = base64.ValueKind == JsonValueKind.Undefined
            && (attributes.GetValueOrDefault("datacontenttype") is not { } type || CloudEventData.IsJson(type));
        parsed = new(attributes, properties, isJson);
        return null;
    }

    private static string? TextOf(JsonElement value) =>
        value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetRawText() : value.Text();
}
