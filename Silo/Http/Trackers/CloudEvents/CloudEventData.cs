using System.Text;
using System.Text.Json;
using Microsoft.Net.Http.Headers;

namespace Tally.Silo.Http.Trackers.CloudEvents;

/// <summary>A CloudEvent's data as properties: the members of a JSON object, and all else as one property.</summary>
internal static class CloudEventData
{
    public const string Name = "data";

    public static void Add(JsonElement data, TrackerProperties properties)
    {
        if (data.ValueKind == JsonValueKind.Object) properties.AddMembersOf(data);
        else properties.Add(Name, data);
    }

    /// <summary>Adds a body that is nothing but the data.</summary>
    /// <param name="contentType">Null for JSON, as in a structured event.</param>
    public static Refusal? Add(ReadOnlySpan<byte> body, string? contentType, TrackerProperties properties)
    {
        if (body.IsEmpty) return null;
        if (contentType is null || IsJson(contentType))
        {
            if (TrackerJson.Parse(body, out var json) is { } malformed) return malformed;
            Add(json, properties);
        }
        else if (IsText(contentType) && TryDecode(body) is { } text) properties.Add(Name, text);
        else properties.Add("data_base64", Convert.ToBase64String(body));
        return null;
    }

    public static bool IsJson(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.SubType.Equals("json", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("json", StringComparison.OrdinalIgnoreCase));

    private static bool IsText(string contentType) =>
        MediaTypeHeaderValue.TryParse(contentType, out var type)
        && (type.Type.Equals("text", StringComparison.OrdinalIgnoreCase)
            || type.SubType.Equals("xml", StringComparison.OrdinalIgnoreCase)
            || type.Suffix.Equals("xml", StringComparison.OrdinalIgnoreCase));

    private static string? TryDecode(ReadOnlySpan<byte> body)
    {
        try
        {
            return StrictUtf8.Encoding.GetString(body);
        }
        catch (DecoderFallbackException)
        {
            return null; // in another encoding
        }
    }
}
