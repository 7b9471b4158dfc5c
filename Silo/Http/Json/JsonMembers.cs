using System.Text;
using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Where a member's value is in the JSON; of a string, without its quotes.</summary>
/// <param name="Kind">The value's first token; none if the member is missing.</param>
/// <param name="Start">The value's first byte.</param>
/// <param name="Length">The value's length in bytes.</param>
internal readonly record struct JsonMember(JsonTokenType Kind, int Start, int Length)
{
    public ReadOnlySpan<byte> ValueIn(ReadOnlySpan<byte> json) => json.Slice(Start, Length);

    /// <summary>A string's text, or a number's digits, as many clients send ids; null for others and "".</summary>
    public string? TextIn(ReadOnlySpan<byte> json) => Kind switch
    {
        JsonTokenType.String when Length > 0 => JsonText.Unescape(ValueIn(json)),
        JsonTokenType.Number => JsonText.Raw(ValueIn(json)),
        _ => null,
    };
}

/// <summary>
/// Finds members of a JSON object by their names. Other members need only be well-formed: their depth, texts and
/// duplicates are not checked.
/// </summary>
internal static class JsonMembers
{
    /// <summary>The number of bytes bounds the depth too. A reader keeps one bit a level.</summary>
    public const int AnyDepth = int.MaxValue;

    private static readonly JsonReaderState Start = new(new() { MaxDepth = AnyDepth });

    /// <param name="json">One JSON value, perhaps with white space around it.</param>
    /// <param name="names">The members' names, in ASCII.</param>
    /// <returns>Why the object is refused, or null.</returns>
    public static Refusal? Find(ReadOnlySpan<byte> json, string[] names, Span<JsonMember> members)
    {
        try
        {
            var reader = new Utf8JsonReader(json, isFinalBlock: true, Start);
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartObject) return Refusal.MalformedEvent();
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var place = PlaceOf(reader.ValueSpan, reader.ValueIsEscaped, names);
                reader.Read();
                var (kind, start, isString) = (reader.TokenType, (int)reader.TokenStartIndex,
                    reader.TokenType == JsonTokenType.String);
                reader.Skip();
                if (place < 0) continue;
                if (members[place].Kind != JsonTokenType.None) return Refusal.DuplicateField(names[place]);
                var quotes = isString ? 1 : 0;
                members[place] = new(kind, start + quotes, (int)reader.BytesConsumed - start - 2 * quotes);
            }
            return reader.Read() ? Refusal.MalformedEvent() : null; // something follows the object
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
