using System.Text.Json;

namespace Tally.Silo.Http.Json;

/// <summary>Finds the items of a JSON array.</summary>
internal static class JsonItems
{
    private static readonly JsonReaderState Start = new(new() { MaxDepth = JsonMembers.AnyDepth });

    /// <param name="json">One JSON value, perhaps with white space around it.</param>
    /// <returns>Where the items are; null if it is no array, or has more than the maximum.</returns>
    public static (List<Range>? Items, bool TooMany) Find(ReadOnlySpan<byte> json, int max)
    {
        try
        {
            var reader = new Utf8JsonReader(json, isFinalBlock: true, Start);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartArray) return (null, false);
            var items = new List<Range>();
            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (items.Count == max) return (null, true);
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                items.Add(start..(int)reader.BytesConsumed);
            }
            return reader.Read() ? (null, false) : (items, false); // something follows the array
        }
        catch (JsonException)
        {
            return (null, false);
        }
    }
}
