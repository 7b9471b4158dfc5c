using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.Otlp;

/// <summary>
/// A log record that is an event: it has a name, in its own field or in the attribute <c>event.name</c>.
/// </summary>
internal sealed record OtlpEvent(string Name, OrderedDictionary<string, JsonElement> Resource,
    OrderedDictionary<string, JsonElement> Attributes, JsonElement Record)
{
    private const string NameAttribute = "event.name", IdAttribute = "log.record.uid";
    private const long NanosecondsPerTick = 100;

    private static readonly JsonSerializerOptions Unescaped =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    // Who it was, the most lasting first: a device stays the same when a person logs in.
    private static readonly string[] Visitors =
        ["device.id", "app.installation.id", "enduser.pseudo.id", "user.id", "enduser.id", "session.id"];

    // What becomes a field of the event, and what nobody keeps: addresses and user agents.
    private static readonly string[] NotKept =
        [NameAttribute, IdAttribute, "client.address", "source.address", "network.peer.address", "user_agent.original"];

    /// <summary>Null if the record is not an event.</summary>
    public static OtlpEvent? From(OrderedDictionary<string, JsonElement> resource, JsonElement record)
    {
        var attributes = AttributesIn(record);
        var name = record.Text("eventName") ?? attributes.GetValueOrDefault(NameAttribute).Text();
        return name is null ? null : new(name, resource, attributes, record);
    }

    public static OrderedDictionary<string, JsonElement> AttributesIn(JsonElement json)
    {
        var found = new OrderedDictionary<string, JsonElement>();
        if (json.Member("attributes") is not { ValueKind: JsonValueKind.Array } list) return found;
        foreach (var attribute in list.EnumerateArray())
            if (attribute.Text("key") is { } key && Plain(attribute.Member("value")) is { } value)
                found.TryAdd(JsonText.WithoutHalves(key), Element(value));
        return found;
    }

    /// <returns>The event's fields, unchecked. Its id is given where it says none.</returns>
    public EventFields ToFields(string? product, bool isHistory, string id)
    {
        var visitor = Visitors.FirstOrDefault(name => TextOf(name) is not null);
        var properties = new TrackerProperties();
        foreach (var (name, value) in Attributes)
            if (!NotKept.Contains(name) && name != visitor) properties.Add(name, value);
        if (Plain(Record.Member("body")) is { } body)
            properties.Add("body", Element(body));
        properties.Add("severity", Record.Text("severityText"));
        properties.Add("traceId", Record.Text("traceId"));
        properties.Add("service.version", Resource.GetValueOrDefault("service.version"));
        return new()
        {
            Action = Name,
            Product = product,
            Fingerprint = visitor is null ? null : TextOf(visitor),
            Id = Attributes.GetValueOrDefault(IdAttribute).Text() ?? id,
            Timestamp = TimeOf("timeUnixNano") ?? TimeOf("observedTimeUnixNano"),
            Properties = properties.ToJson(),
            IsHistory = isHistory,
            CountsOnArrival = true,
        };
    }

    private static JsonElement Element(JsonNode value) => JsonElement.Parse(value.ToJsonString(Unescaped));

    private string? TextOf(string attribute) =>
        Attributes.GetValueOrDefault(attribute).Text() ?? Resource.GetValueOrDefault(attribute).Text();

    // Zero is an unknown time.
    private string? TimeOf(string member) =>
        Record.Text(member) is { } text and not "0"
            ? long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var nanoseconds)
                ? DateTime.UnixEpoch.AddTicks(nanoseconds / NanosecondsPerTick)
                    .ToString("O", CultureInfo.InvariantCulture)
                : text
            : null;

    // An AnyValue, in which a number of 64 bits is a text.
    private static JsonNode? Plain(JsonElement value)
    {
        if (value.ValueKind != JsonValueKind.Object) return null;
        foreach (var member in value.EnumerateObject())
            switch (member.Name)
            {
                case "stringValue" or "bytesValue":
                    return JsonText.WithoutHalves(member.Value.Text() ?? "");
                case "boolValue" or "doubleValue":
                    return JsonNode.Parse(member.Value.GetRawText());
                case "intValue":
                    return long.TryParse(member.Value.Text(), NumberStyles.AllowLeadingSign,
                        CultureInfo.InvariantCulture, out var number) ? number : null;
                case "arrayValue":
                    return new JsonArray([.. ValuesIn(member.Value).Select(Plain)]);
                case "kvlistValue":
                    var inner = new JsonObject();
                    foreach (var pair in ValuesIn(member.Value))
                        if (pair.Text("key") is { } key)
                            inner[JsonText.WithoutHalves(key)] = Plain(pair.Member("value"));
                    return inner;
            }
        return null;
    }

    private static JsonElement.ArrayEnumerator ValuesIn(JsonElement list) =>
        list.Member("values") is { ValueKind: JsonValueKind.Array } values ? values.EnumerateArray() : default;
}
