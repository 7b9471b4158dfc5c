using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Parses one event's fields from a JSON object.</summary>
internal static class EventJson
{
    private const string Properties = "properties";

    private static readonly string[] Names = [.. EventFields.Names, Properties];

    public static Refusal? Parse(ReadOnlySequence<byte> json, out EventFields? fields) =>
        Parse(json.IsSingleSegment ? json.FirstSpan : json.ToArray(), out fields);

    /// <param name="json">One JSON value, perhaps with white space around it.</param>
    public static Refusal? Parse(ReadOnlySpan<byte> json, out EventFields? fields)
    {
        fields = null;
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Find(json, Names, members) is { } malformed) return malformed;
        try
        {
            var parsed = new EventFields();
            for (var i = 0; i < EventFields.Names.Length; i++)
            {
                if (members[i].Kind is JsonTokenType.None or JsonTokenType.Null) continue;
                if (members[i].Kind is not (JsonTokenType.String or JsonTokenType.Number))
                    return Refusal.InvalidType(Names[i]);
                parsed.TrySet(Names[i], members[i].TextIn(json) ?? "");
            }
            parsed.Properties = PropertiesOf(json, members[^1]);
            fields = parsed;
            return null;
        }
        catch (DecoderFallbackException)
        {
            return Refusal.MalformedBody("The JSON is not in UTF-8.");
        }
    }

    /// <summary>The properties' JSON, unchecked: an object, or a string that contains one; null for none.</summary>
    public static string? PropertiesOf(ReadOnlySpan<byte> json, JsonMember member) => member.Kind switch
    {
        JsonTokenType.None or JsonTokenType.Null => null,
        JsonTokenType.String => JsonText.Unescape(member.ValueIn(json)),
        _ => JsonText.Raw(member.ValueIn(json)),
    };
}
