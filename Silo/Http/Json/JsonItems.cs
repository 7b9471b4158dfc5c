using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Finds the items of a JSON array.</summary>
internal static class JsonItems
{
    private static readonly JsonReaderState Start = new(new() { MaxDepth = JsonMembers.AnyDepth });

    /// <param name="json">What the array is in.</param>
    /// <param name="place">Where in it one JSON value is, perhaps with white space around it.</param>
    /// <returns>Where in it the items are; null if the value is no array, or has more than the maximum.</returns>
    public static (List<Range>? Items, bool TooMany) Find(ReadOnlySpan<byte> json, Range place, int max)
    {
        try
        {
            var offset = place.GetOffsetAndLength(json.Length).Offset;
            var reader = new Utf8JsonReader(json[place], isFinalBlock: true, Start);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return (null, false);
            var items = new List<Range>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (items.Count == max) return (null, true);
                var start = offset + (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add(start..(offset + (int)reader.BytesConsumed));
            }
            return reader.Read() ? (null, false) : (items, false); // something follows the array
        }
        catch (JsonException)
        {
            return (null, false);
        }
    }

    /// <inheritdoc cref="Find(ReadOnlySpan{byte}, Range, int)"/>
    /// <param name="array">Where in it the value is. A text that looks like an array is none.</param>
    public static (List<Range>? Items, bool TooMany) Find(ReadOnlySpan<byte> json, JsonMember array, int max) =>
        array.Kind != JsonTokenType.StartArray ? (null, false)
            : Find(json, array.Start..(array.Start + array.Length), max);
}
