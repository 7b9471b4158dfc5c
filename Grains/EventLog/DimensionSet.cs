using System.Buffers;
using System.Text;
using System.Text.Json;

namespace Tally.Grains.EventLog;

/// <summary>One value that an event has in a dimension. Neither is empty.</summary>
public readonly record struct DimensionValue(string Dimension, string Value);

/// <summary>
/// The properties that are counted by their values. A silo has one set, and each of its events in the log names it. So
/// what an event counts for follows from its row alone, also if silos have different sets.
/// </summary>
/// <param name="id">Its number in the database; 0 for none.</param>
/// <param name="names">Names of top-level properties.</param>
public sealed class DimensionSet(int id, IReadOnlyList<string> names)
{
    /// <summary>A longer value is cut, on a character's border.</summary>
    public const int ValueBytesMax = 256;

    public static readonly DimensionSet None = new(0, []);

    private static readonly JsonReaderOptions AnyDepth = new() { MaxDepth = 1_024 };

    private readonly byte[][] utf8 = [.. names.Select(Encoding.UTF8.GetBytes)];

    public int Id => id;
    public IReadOnlyList<string> Names => names;

    /// <summary>The dimensions' values among an event's properties: text, numbers and booleans.</summary>
    /// <param name="values">Gets them in place of what it had.</param>
    public void Collect(string? properties, List<DimensionValue> values)
    {
        values.Clear();
        if (properties is null || utf8.Length == 0) return;
        var buffer = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(properties.Length));
        try
        {
            Collect(new Utf8JsonReader(buffer.AsSpan(0, Encoding.UTF8.GetBytes(properties, buffer)), AnyDepth), values);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            values.Clear(); // not written by this program
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private void Collect(Utf8JsonReader json, List<DimensionValue> values)
    {
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var place = PlaceOf(ref json);
            json.Read();
            if (place >= 0 && TextOf(ref json) is { Length: > 0 } text) values.Add(new(names[place], Cut(text)));
            json.Skip();
        }
    }

    private int PlaceOf(ref Utf8JsonReader json)
    {
        for (var i = 0; i < utf8.Length; i++)
            if (json.ValueTextEquals(utf8[i])) return i;
        return -1;
    }

    private static string? TextOf(ref Utf8JsonReader json) => json.TokenType switch
    {
        JsonTokenType.String => json.GetString(),
        JsonTokenType.Number => Encoding.UTF8.GetString(json.ValueSpan),
        JsonTokenType.True => "true",
        JsonTokenType.False => "false",
        _ => null,
    };

    /// <summary>The same text, or its beginning if it is too long.</summary>
    public static string Cut(string text)
    {
        if (text.Length * 3 <= ValueBytesMax || Encoding.UTF8.GetByteCount(text) <= ValueBytesMax) return text;
        var (bytes, length) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            if ((bytes += rune.Utf8SequenceLength) > ValueBytesMax) break;
            length += rune.Utf16SequenceLength;
        }
        return text[..length];
    }
}
