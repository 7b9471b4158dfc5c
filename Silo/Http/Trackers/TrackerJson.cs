using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Unicode;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// JSON of other tools, in which members are asked for by name. A text may have half a surrogate pair, which the
/// framework would throw at: the event's fields decide about it. A name may not.
/// </summary>
internal static class TrackerJson
{
    private static readonly JsonReaderState Start = new(new() { MaxDepth = PropertiesJson.DepthMax });
    private static readonly JsonDocumentOptions Strict =
        new() { MaxDepth = PropertiesJson.DepthMax, AllowDuplicateProperties = false };

    public static Refusal? Parse(ReadOnlySpan<byte> json, out JsonElement parsed)
    {
        parsed = default;
        if (!Utf8.IsValid(json)) return Refusal.MalformedBody("The JSON is not in UTF-8.");
        try
        {
            if (!HasWholeNames(json)) return Refusal.MalformedBody("A name in the JSON has half a surrogate pair.");
            parsed = JsonElement.Parse(json, Strict);
            return null;
        }
        catch (JsonException)
        {
            return Refusal.MalformedBody(
                $"The body must be JSON, at most {PropertiesJson.DepthMax} levels deep, with no name twice in an "
                + "object.");
        }
    }

    /// <summary>A member of an object; undefined if there is none.</summary>
    public static JsonElement Member(this JsonElement json, string name) =>
        json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out var member) ? member : default;

    /// <summary>A string's text, or a number's digits; null for others and "".</summary>
    public static string? Text(this JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String when JsonMarshal.GetRawUtf8Value(value) is { Length: > 2 } quoted =>
            JsonText.Unescape(quoted[1..^1]),
        JsonValueKind.Number => value.GetRawText(),
        _ => null,
    };

    /// <summary>The text of the first of these members that has one.</summary>
    public static string? Text(this JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (json.Member(name).Text() is { } text) return text;
        return null;
    }

    /// <summary>The first of these members that is neither missing nor null.</summary>
    public static JsonElement FirstOf(this JsonElement json, params ReadOnlySpan<string> names)
    {
        foreach (var name in names)
            if (json.Member(name) is { ValueKind: not (JsonValueKind.Undefined or JsonValueKind.Null) } member)
                return member;
        return default;
    }

    /// <summary>JSON in a text, as some scripts send an object; anything else as it is.</summary>
    public static JsonElement Unpacked(this JsonElement value) =>
        value.ValueKind == JsonValueKind.String && value.Text() is { } text
            && Parse(System.Text.Encoding.UTF8.GetBytes(text), out var inner) is null ? inner : value;

    private static bool HasWholeNames(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json, isFinalBlock: true, Start);
        while (reader.Read())
            if (reader is { TokenType: JsonTokenType.PropertyName, ValueIsEscaped: true }
                && JsonText.Unescape(reader.ValueSpan) is var name
                && !ReferenceEquals(JsonText.WithoutHalves(name), name)) return false;
        return true;
    }
}
