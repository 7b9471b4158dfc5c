using System.Text.Json;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Http.Trackers.PostHog;

namespace Tally.Silo.Import.Tools;

/// <summary>PostHog's batch export of events as JSON lines.</summary>
internal sealed class PostHogEvents(ToolSettings settings) : ToolFormat
{
    private readonly string product = settings.RequiredProduct("PostHog's export");

    public override IEnumerable<Item> Parse(Record record) =>
        [TrackerJson.Parse(record.Text!.Value.Span, out var json) is { } malformed
            ? Item.Malformed(record.Line, malformed.Detail) : ToItem(record, json, product)];

    /// <summary>The event; its <c>uuid</c> is the one with which its SDK sent it.</summary>
    public static Item ToItem(Record record, JsonElement json, string product)
    {
        if (json.ValueKind != JsonValueKind.Object)
            return Item.Malformed(record.Line, "This is not a JSON object.");
        var properties = json.Member("properties").Unpacked(); // some are texts
        if (properties.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined or JsonValueKind.Null))
            return Item.Malformed(record.Line, "The properties are not a JSON object.");
        var fields = PostHogEvent.FieldsOf(json, properties, product);
        return fields.Id is null ? Item.Malformed(record.Line, "The event has no uuid.")
            : Item.From(record.Line, fields);
    }
}
