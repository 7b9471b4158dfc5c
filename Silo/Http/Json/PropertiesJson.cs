using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Tally.Silo.Http.Json;

/// <summary>
/// Checks properties, for every endpoint that takes events. They are kept as their client wrote them, unless a later
/// query would fail: Postgres' jsonb takes neither U+0000 nor half a surrogate pair, and DuckDB takes no repeated key.
/// The first two become U+FFFD, and of a repeated key the last value is kept, as in jsonb and JavaScript.
/// </summary>
internal static class PropertiesJson
{
    /// <summary>Levels of nesting, including the object itself.</summary>
    public const int DepthMax = 64;

    // Far below the limits of Postgres' numeric, in which jsonb keeps numbers; far above any measurement.
    private const int NumberCharactersMax = 1_000;
    private const int ExponentMax = 1_000;

    private static readonly JsonReaderState Start = new(new() { MaxDepth = DepthMax });
    private static readonly JsonDocumentOptions Strict =
        new() { MaxDepth = DepthMax, AllowDuplicateProperties = false };
    private static readonly JsonDocumentOptions Lenient = new() { MaxDepth = DepthMax };

    // Needless escapes could make the properties too long.
    private static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };
    private static readonly JsonSerializerOptions Unescaped =
        new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>Checks properties, and replaces what no database takes.</summary>
    /// <param name="bytesMax">Of UTF-8, as sent and as kept.</param>
    /// <param name="kept">The properties to record, unless they are refused.</param>
    public static Refusal? Normalize(string sent, int bytesMax, out string? kept)
    {
        kept = null;
        if (sent.Length > bytesMax) return Refusal.TooLong("properties", bytesMax, "bytes of UTF-8");
        var bytes = ArrayPool<byte>.Shared.Rent(Encoding.UTF8.GetMaxByteCount(sent.Length));
        try
        {
            var json = bytes.AsSpan(0, Encoding.UTF8.GetBytes(sent, bytes)); // replaces unescaped half surrogate pairs
            if (json.Length > bytesMax) return Refusal.TooLong("properties", bytesMax, "bytes of UTF-8");
            if (!IsObject(json)) return Refusal.InvalidProperties(DepthMax);
            var changed = JsonText.ReplaceUnstorable(json);
            if (WithUniqueKeys(bytes.AsMemory(0, json.Length)) is { } unique)
            {
                kept = unique;
                return Encoding.UTF8.GetByteCount(unique) > bytesMax
                    ? Refusal.TooLong("properties", bytesMax, "bytes of UTF-8") : null;
            }
            kept = changed || !IsWellFormed(sent) ? Encoding.UTF8.GetString(json) : sent;
            return null;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }

    /// <summary>Adds a member, or replaces its value.</summary>
    /// <param name="properties">Properties that <see cref="Normalize"/> has kept; null for none.</param>
    public static string With(string? properties, string name, string value)
    {
        var all = Members(properties);
        all[name] = Storable(value);
        return all.ToJsonString(Unescaped);
    }

    /// <summary>Adds members, except those that are already there.</summary>
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
            var reader = new Utf8JsonReader(json, isFinalBlock: true, Start);
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
            || int.TryParse(number[(exponent + 1)..], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture,
                out var power)
            && power is >= -ExponentMax and <= ExponentMax;
    }

    private static bool IsWellFormed(string text) => ReferenceEquals(JsonText.WithoutHalves(text), text);

    // Keeps the last value of each key. Null if no key is repeated.
    private static string? WithUniqueKeys(ReadOnlyMemory<byte> json)
    {
        try
        {
            JsonDocument.Parse(json, Strict).Dispose();
            return null;
        }
        catch (JsonException)
        {
            // a key is repeated: the JSON itself was checked before
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
