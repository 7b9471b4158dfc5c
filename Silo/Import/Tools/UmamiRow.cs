using System.Globalization;
using System.Text.Json;
using Tally.Silo.Http.Trackers;
using Tally.Silo.Http.Trackers.Umami;

namespace Tally.Silo.Import.Tools;

/// <summary>
/// A row of Umami's table <c>website_event</c>, made the message that its tracker had sent. If a row has
/// no type, only the name tells whether it is a page view.
/// </summary>
internal static class UmamiRow
{
    private const string PageView = "1", Link = "3", Pixel = "4", Performance = "5"; // types of events

    private static readonly string[] Same = ["hostname", "screen", "language", "tag", "browser", "os", "device"];
    private static readonly string[] Measured = ["lcp", "inp", "cls", "fcp", "ttfb"];

    /// <param name="cell">A column's text; null if it is empty.</param>
    /// <param name="data">The event's own properties as JSON; null if there are none.</param>
    /// <param name="product">Null for the site's id.</param>
    public static Item Parse(long line, Func<string, string?> cell, string? data, string? product)
    {
        if (cell("event_id") is not { } id) return Item.Malformed(line, "The row has no event_id.");
        var type = cell("event_type");
        if (type is Link or Pixel) return Item.LeftOut(line, "of links and pixels");
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            writer.WriteString("type", type == Performance ? "performance" : "event");
            writer.WriteStartObject("payload");
            Write("website", cell("website_id"));
            Write("id", cell("distinct_id") ?? cell("session_id"));
            Write("name", type == PageView ? null : cell("event_name"));
            Write("title", cell("page_title"));
            Write("url", cell("url_path") is { } path
                ? path + (cell("url_query") is { } query ? "?" + query.TrimStart('?') : "") : null);
            Write("referrer", cell("referrer_domain") is { } domain
                ? OtherSite.Referrer("https://" + domain, cell("hostname"), product) : null);
            foreach (var name in Same) Write(name, cell(name));
            foreach (var name in Measured)
                if (decimal.TryParse(cell(name), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
                    writer.WriteNumber(name, number);
            if (data is not null)
            {
                writer.WritePropertyName("data");
                writer.WriteRawValue(data, skipInputValidation: true);
            }
            writer.WriteEndObject();
            writer.WriteEndObject();

            void Write(string name, string? value)
            {
                if (value is not null) writer.WriteString(name, value);
            }
        }
        if (TrackerJson.Parse(json.ToArray(), out var message) is { } malformed)
            return Item.Malformed(line, malformed.Detail);
        var (fields, refusal) = UmamiMessage.Parse(message, product, isHistory: true);
        if (fields is null) return Item.Malformed(line, $"{refusal!.Reason}: {refusal.Detail}");
        fields.Id = id;
        fields.Timestamp = cell("created_at");
        return Item.From(line, fields);
    }
}
