using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Silo.Http;
using Tally.Silo.Http.Trackers;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// Makes an event of a row of GA4's table <c>events_…</c>. BigQuery writes whole numbers as texts. A row has no id of
/// its own: it gets one of what tells GA4's rows apart. In old rows, without numbers of a batch, the parameters do.
/// </summary>
internal sealed class Ga4Mapping(ToolSettings settings)
{
    private const string PageView = "page_view";
    private const long MicrosecondsMax = 253_402_300_799_999_999; // the year 9999

    private static readonly string[] BatchMembers = ["batch_page_id", "batch_ordering_id", "batch_event_index"];

    private static readonly string[] IdMembers =
        ["event_timestamp", "event_name", "user_pseudo_id", "event_bundle_sequence_id", .. BatchMembers];

    // Of a page, they have other names in the properties.
    private static readonly string[] Renamed = ["page_location", "page_referrer", "page_title"];

    private readonly RowIds ids = new();
    private bool hasStreams;

    public Item Parse(long line, JsonElement json)
    {
        if (json.ValueKind != JsonValueKind.Object) return Item.Malformed(line, "This is not a JSON object.");
        if (json.Text("event_name") is not { } name) return Item.Malformed(line, "The row has no event_name.");
        if (!long.TryParse(json.Text("event_timestamp"), NumberStyles.None, CultureInfo.InvariantCulture, out var time)
            || time > MicrosecondsMax)
            return Item.Malformed(line, "The row has no event_timestamp in microseconds.");
        var stream = json.Text("stream_id");
        hasStreams |= stream is not null;
        if (json.Text("user_pseudo_id") is not { } visitor)
            return Item.LeftOut(line, "without user_pseudo_id (visitors who did not consent)");
        var product = settings.Product ?? stream;
        if (product is null && hasStreams)
            return Item.Malformed(line, "The row has no stream_id: say -product=NAME.");
        return Item.From(line, new()
        {
            Action = name == PageView ? EventFields.PageView : name,
            Product = product ?? settings.RequiredProduct("GA4's export"),
            Fingerprint = visitor,
            Id = ids.Create(Encoding.UTF8.GetBytes(string.Join('\n', PartsOfId(json)))),
            Timestamp = DateTime.UnixEpoch.AddTicks(time * TimeSpan.TicksPerMicrosecond)
                .ToString("O", CultureInfo.InvariantCulture),
            Properties = PropertiesOf(json),
        });
    }

    // The parameters as texts: NDJSON and Parquet write their numbers differently.
    private static IEnumerable<string> PartsOfId(JsonElement json)
    {
        foreach (var member in IdMembers) yield return json.Text(member) ?? "";
        if (BatchMembers.Any(member => json.Text(member) is not null)) yield break;
        foreach (var (name, value) in Parameters(json.Member("event_params")))
        {
            yield return name;
            yield return value.Text("string_value", "int_value") ?? (NumberIn(value) is { } number
                ? number.GetDouble().ToString("R", CultureInfo.InvariantCulture) : "");
        }
    }

    private static string? PropertiesOf(JsonElement json)
    {
        var properties = new TrackerProperties();
        var page = new Dictionary<string, string?>();
        foreach (var (name, value) in Parameters(json.Member("event_params")))
            if (Renamed.Contains(name)) page[name] = value.Text("string_value");
            else Add(properties, name, value);
        properties.AddPage(PageUrl.Parse(page.GetValueOrDefault("page_location")),
            page.GetValueOrDefault("page_referrer"));
        properties.Add("title", page.GetValueOrDefault("page_title"));
        var device = json.Member("device");
        properties.Add("language", device.Text("language"));
        properties.Add("browser", device.Member("web_info").Text("browser"));
        properties.Add("os", device.Text("operating_system"));
        properties.Add("device", device.Text("category"));
        properties.Add("country", json.Member("geo").Text("country"));
        properties.Add("user_id", json.Text("user_id"));
        return properties.ToJson();
    }

    private static IEnumerable<(string Name, JsonElement Value)> Parameters(JsonElement list)
    {
        // Parquet names the levels of a list.
        if (list.ValueKind == JsonValueKind.Object) list = list.Member("list");
        if (list.ValueKind != JsonValueKind.Array) yield break;
        foreach (var entry in list.EnumerateArray())
        {
            var parameter = entry.Member("element") is { ValueKind: JsonValueKind.Object } element ? element : entry;
            if (parameter.Text("key") is { } key) yield return (key, parameter.Member("value"));
        }
    }

    private static void Add(TrackerProperties properties, string name, JsonElement value)
    {
        if (value.Text("string_value") is { } text) properties.Add(name, text);
        else if (long.TryParse(value.Text("int_value"), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
            out var whole)) properties.Add(name, whole);
        else if (NumberIn(value) is { } number) properties.Add(name, number);
    }

    private static JsonElement? NumberIn(JsonElement value) =>
        value.FirstOf("double_value", "float_value") is { ValueKind: JsonValueKind.Number } number ? number : null;
}
