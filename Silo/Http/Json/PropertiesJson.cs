using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tally.Silo.Http.Json;

/// <summary>
/// The one check of properties, whichever way they came. They are kept as their client wrote them, unless that would break
/// somebody's query later: Postgres' jsonb knows no U+0000 and no half of a surrogate pair, and DuckDB no key that is given twice.
/// Then U+FFFD stands for the first two, and of a key given twice the last value is kept, as jsonb and JavaScript do.
/// </summary>
internal static class PropertiesJson
{
    /// <summary>Levels, with the object itself.</summary>
    public const int DepthMax = 64;

    // Postgres' numeric, which is what jsonb makes of a number, ends far beyond; nobody's measurement is longer.
    private const int NumberCharactersMax = 1_000;
    private const int ExponentMax = 1_000;

    private static readonly JsonReaderState Begin = new(new() { MaxDepth = DepthMax });
    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };
    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = DepthMax };

    // Escaping what need not be escaped could make them too long.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Unescaped = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <param name="sent">As they came.</param>
    /// <param name="bytesMax">Of UTF-8, as sent and as kept.</param>
    /// <param name="kept">What is recorded, where nothing is refused.</param>
    public static Refusal? Read(string sent, int bytesMax, out string? kept)
    {
        kept = null;
        if (sent.Length > bytesMax) return Refusal.TooLong("properties", bytesMax, "bytes of UTF-8");
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(sent.Length));
        try
        {
            var json = bytes.AsSpan(0, Encoding.UTF8.GetBytes(sent, bytes)); // halves of surrogate pairs outside of escapes are replaced
            if (json.Length > bytesMax) return Refusal.TooLong("properties", bytesMax, "bytes of UTF-8");
            if (!IsObject(json)) return Refusal.InvalidProperties(DepthMax);
            var changed = JsonText.ReplaceUnstorable(json);
            if (WithKeysOnce(bytes.AsMemory(0, json.Length)) is { } once)
            {
                kept = once;
                return Encoding.UTF8.GetByteCount(once) > bytesMax ? Refusal.TooLong("properties", bytesMax, "bytes of UTF-8") : null;
            }
            kept = changed || !IsWellFormed(sent) ? Encoding.UTF8.GetString(json) : sent;
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>The same with one member more, or with another value of it.</summary>
    /// <param name="properties">As <see cref="Read"/> keeps them; null for none.</param>
    public static string With(string? properties, string name, string value)
    {
        var all = Members(properties);
        all[name] = Storable(value);
        return all.ToJsonString(Unescaped);
    }

    /// <summary>The same with those of the texts whose names they do not have yet.</summary>
    /// <inheritdoc cref="With"/>
    public static string WithMissing(string? properties, IEnumerable<(string Name, string Value)> texts)
    {
        var all = Members(properties);
        var missing = texts.Where(text => !all.ContainsKey(text.Name)).ToList();
        if (missing.Count == 0) return properties!;
        foreach (var (name, value) in missing) all[name] = Storable(value);
        return all.ToJsonString(Unescaped);
    }

    private static JsonObject Members(string? properties) =>
        properties is null ? [] : JsonNode.Parse(properties, documentOptions: Lenient)!.AsObject();

    private static string Storable(string text) => JsonText.WithoutHalves(text).Replace('\0', '\ufffd');

    private static bool IsObject(ReadOnlySpan<byte> json)
    {
        try
        {
            var reader = new Utf8JsonReader(json, isFinalBlock: true, Begin);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return false;
            while (reader.Read())
                if (reader.TokenType == JsonTokenType.Number && !IsStorable(reader.ValueSpan)) return false;
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static bool IsStorable(ReadOnlySpan<byte> number)
    {
        if (number.Length > NumberCharactersMax) return false;
        var exponent = number.IndexOfAny((byte)'e', (byte)'E');
        return exponent < 0
            || int.TryParse(number[(exponent + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var power)
            && power is >= -ExponentMax and <= ExponentMax;
    }

    private static bool IsWellFormed(string text) => ReferenceEquals(JsonText.WithoutHalves(text), text);

    // Null where no key is given twice.
    private static string? WithKeysOnce(ReadOnlyMemory<byte> json)
    {
        try
        {
            JsonDocument.Parse(json, Strict).Dispose();
            return null;
        }
        catch (JsonException)
        {
            // some key is: well-formed it is, and no deeper than it may be
        }
        using var document = JsonDocument.Parse(json, Lenient);
        var text = new ArrayBufferWriter<byte>(json.Length);
        using (var writer = new Utf8JsonWriter(text, Writing)) Write(document.RootElement, writer);
        return Encoding.UTF8.GetString(text.WrittenSpan);
    }

    private static void Write(JsonElement value, Utf8JsonWriter writer)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.Object:
                writer.WriteStartObject();
                var members = new OrderedDictionary<string, JsonElement>();
                foreach (var member in value.EnumerateObject()) members[member.Name] = member.Value;
                foreach (var (name, last) in members)
                {
                    writer.WritePropertyName(name);
                    Write(last, writer);
                }
                writer.WriteEndObject();
                break;
            case JsonValueKind.Array:
                writer.WriteStartArray();
                foreach (var item in value.EnumerateArray()) Write(item, writer);
                writer.WriteEndArray();
                break;
            default:
                value.WriteTo(writer);
                break;
        }
    }
}
