using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Reads one event's fields from a JSON object. An error in one event does not affect the others.</summary>
internal static class EventJson
{
    private const string Properties = "properties";

    private static readonly string[] Names = [.. EventFields.Names, Properties];

    public static Refusal? Read(ReadOnlySequence<byte> json, out EventFields? fields) =>
        Read(json.IsSingleSegment ? json.FirstSpan : json.ToArray(), out fields);

    /// <param name="json">One value, with nothing but white space around it.</param>
    /// <param name="fields">Where nothing is refused.</param>
    public static Refusal? Read(ReadOnlySpan<byte> json, out EventFields? fields)
    {
        fields = null;
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Read(json, Names, members) is { } malformed) return malformed;
        try
        {
            var read = new EventFields();
            for (var i = 0; i < EventFields.Names.Length; i++)
            {
                if (members[i].Kind is JsonTokenType.None or JsonTokenType.Null) continue;
                if (members[i].Kind is not (JsonTokenType.String or JsonTokenType.Number)) return Refusal.InvalidType(Names[i]);
                read.TrySet(Names[i], members[i].TextOf(json) ?? "");
            }
            read.Properties = PropertiesOf(json, members[^1]);
            fields = read;
            return null;
        }
        catch (DecoderFallbackException)
        {
            return Refusal.MalformedBody("The JSON is not in UTF-8.");
        }
    }

    /// <summary>The text of properties, in an object or, as a form has them, in a text; unchecked. Null where there are none.</summary>
    public static string? PropertiesOf(ReadOnlySpan<byte> json, JsonMember member) => member.Kind switch
    {
        JsonTokenType.None or JsonTokenType.Null => null,
        JsonTokenType.String => JsonText.Unescape(member.Of(json)),
        _ => JsonText.Raw(member.Of(json)),
    };
}
