using System.Text;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>
/// A CloudEvent as an HTTP message: an attribute is a header, <c>ce-</c> and its name, and the body is the data.
/// </summary>
internal static class BinaryCloudEvent
{
    private const string Prefix = "ce-";

    public static bool IsIn(IHeaderDictionary headers) => headers.ContainsKey("ce-specversion");

    public static Refusal? Parse(HttpRequest request, ReadOnlySpan<byte> body, out CloudEvent? parsed)
    {
        parsed = null;
        var attributes = new Dictionary<string, string>();
        foreach (var (header, values) in request.Headers)
        {
            if (!header.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase)) continue;
            var name = header[Prefix.Length..].ToLowerInvariant();
            if (values.Count != 1) return Refusal.DuplicateField(name);
            attributes[name] = Decode(values[0]!);
        }
        var contentType = string.IsNullOrEmpty(request.ContentType) ? null : request.ContentType;
        var properties = new TrackerProperties();
        if (CloudEventData.Add(body, contentType, properties) is { } malformed) return malformed;
        if (contentType is not null) attributes["datacontenttype"] = contentType;
        parsed = new(attributes, properties, DataIsJson: contentType is null || CloudEventData.IsJson(contentType));
        return null;
    }

    // Old senders quote a value. What no sender can have encoded stays as it is.
    private static string Decode(string value)
    {
        if (value is ['"', .., '"']) value = value[1..^1].Replace("\\\"", "\"").Replace("\\\\", "\\");
        return FormReader.TryDecode(Encoding.UTF8.GetBytes(value), out var text, plusIsSpace: false) ? text : value;
    }
}
