using System.Text;
using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Where a member's value stands in its JSON.</summary>
/// <param name="Kind">Of its first token; none where the member is not there.</param>
/// <param name="Start">Of a string, behind its quotation mark.</param>
/// <param name="Length">Likewise.</param>
internal readonly record struct JsonMember(JsonTokenType Kind, int Start, int Length)
{
    public ReadOnlySpan<byte> Of(ReadOnlySpan<byte> json) => json.Slice(Start, Length);

    /// <summary>
    /// A text, or a number, which many write for ids, as its own digits; null of anything else, and where it is empty.
    /// </summary>
    public string? TextOf(ReadOnlySpan<byte> json) => Kind switch
    {
        JsonTokenType.String when Length > 0 => JsonText.Unescape(Of(json)),
        JsonTokenType.Number => JsonText.Raw(Of(json)),
        _ => null,
    };
}

/// <summary>
/// Reads the members of one JSON object that its reader keeps. The others need only be well-formed: how deep they are, 
/// what their texts hold, and duplicates among them, are not checked.
/// </summary>
internal static class JsonMembers
{
    /// <summary>What is read is bounded by its bytes. A reader keeps one bit a level.</summary>
    public const int AnyDepth = int.MaxValue;

    private static readonly JsonReaderState Begin = new(new() { MaxDepth = AnyDepth });

    /// <param name="json">One value, with nothing but white space around it.</param>
    /// <param name="names">Of the members, in plain ASCII.</param>
    /// <param name="members">One for each name.</param>
    /// <returns>Why it cannot be read, or null.</returns>
    public static Refusal? Read(ReadOnlySpan<byte> json, string[] names, Span<JsonMember> members)
    {
        try
        {
            var reader = new Utf8JsonReader(json, isFinalBlock: true, Begin);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) return Refusal.MalformedEvent();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var place = PlaceOf(reader.ValueSpan, reader.ValueIsEscaped, names);
                reader.Read();
                var (kind, start, isString) = (reader.TokenType, (int)reader.TokenStartIndex, reader.TokenType == JsonTokenType.String);
                reader.Skip();
                if (place < 0) continue;
                if (members[place].Kind != JsonTokenType.None) return Refusal.DuplicateField(names[place]);
                var quotes = isString ? 1 : 0;
                members[place] = new(kind, start + quotes, (int)reader.BytesConsumed - start - 2 * quotes);
            }
            return reader.Read() ? Refusal.MalformedEvent() : null; // at the end nothing is left
        }
        catch (JsonException)
        {
            return Refusal.MalformedEvent();
        }
    }

    private static int PlaceOf(ReadOnlySpan<byte> name, bool isEscaped, string[] names)
    {
        if (isEscaped) return TryUnescape(name) is { } unescaped ? Array.IndexOf(names, unescaped) : -1;
        for (var i = 0; i < names.Length; i++)
            if (Ascii.Equals(name, names[i])) return i;
        return -1;
    }

    private static string? TryUnescape(ReadOnlySpan<byte> name)
    {
        try
        {
            return JsonText.Unescape(name);
        }
        catch (DecoderFallbackException)
        {
            return null; // none of the names
        }
    }
}
