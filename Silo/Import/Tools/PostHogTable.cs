using System.Text.Json;
using Tally.Silo.Http.Trackers;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// PostHog's table of events as CSV, with the properties as JSON in one column, or each in a column of its own
/// (<c>properties.$current_url</c>).
/// </summary>
internal sealed class PostHogTable(ToolSettings settings, CsvTable table) : ToolTable(
    table, "PostHog's export", "uuid", "event", "distinct_id", "timestamp")
{
    private const string All = "properties", Prefix = "properties.";

    private static readonly string[] Fields = ["uuid", "event", "distinct_id", "timestamp"];

    private readonly string product = settings.RequiredProduct("PostHog's export");

    public static bool IsHeader(List<string> names) =>
        Fields.All(names.Contains)
        && names.Exists(name => name == All || name.StartsWith(Prefix, StringComparison.Ordinal));

    protected override Item Parse(Record record, ToolRow row)
    {
        if (row[All] is { } text
            && (TrackerJson.Parse(System.Text.Encoding.UTF8.GetBytes(text), out var properties) is not null
                || properties.ValueKind != JsonValueKind.Object))
            return Item.Malformed(record.Line, "The properties are not a JSON object.");
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var name in Fields)
                if (row[name] is { } value) writer.WriteString(name, value);
            writer.WritePropertyName(All);
            if (row[All] is { } whole) writer.WriteRawValue(whole);
            else WriteProperties(writer, row);
            writer.WriteEndObject();
        }
        return TrackerJson.Parse(json.ToArray(), out var parsed) is { } malformed
            ? Item.Malformed(record.Line, malformed.Detail) : PostHogEvents.ToItem(record, parsed, product);
    }

    private void WriteProperties(Utf8JsonWriter writer, ToolRow row)
    {
        writer.WriteStartObject();
        foreach (var name in Columns.Keys)
            if (name.StartsWith(Prefix, StringComparison.Ordinal) && row[name] is { } value)
                writer.WriteString(name[Prefix.Length..], value);
        writer.WriteEndObject();
    }
}
