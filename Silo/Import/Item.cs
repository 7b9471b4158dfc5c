using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;

namespace Tally.Silo.Import;

/// <param name="Name">
/// As the service calls it; or <c>created</c>, as the one that Tally replaces does, and <c>occurred</c>, as an export of Tally's does.
/// </param>
/// <param name="Json">The value's own text, which stays as it is: properties are compared by their text.</param>
internal readonly record struct Field(string Name, string Json)
{
    public static Field OfText(string name, string text) => new(name, JsonSerializer.Serialize(text, ImportJson.Default.String));

    public bool IsNull => Json == "null";
}

/// <summary>An event as its source has it, ready for the service, which checks it.</summary>
/// <param name="Line">Its line, or its row, in the source.</param>
/// <param name="Json">One object, with an id; null where there is a problem.</param>
/// <param name="Problem">Why the source's text is no event.</param>
internal sealed record Item(long Line, byte[]? Json, string? Problem)
{
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    // As Postgres writes it into a CSV file; without a zone it means UTC here.
    private static readonly string[] PostgresTimes =
        [.. ((string[])["zz", "zzz", ""]).Select(zone => "yyyy-MM-dd HH:mm:ss.FFFFFFF" + zone)];

    public static Item Malformed(long line, string problem) => new(line, null, problem);

    /// <summary>An event of a JSON object.</summary>
    /// <param name="line">Its line.</param>
    /// <param name="json">UTF-8.</param>
    /// <param name="id">What to call it where it has no id of its own.</param>
    public static Item OfJson(long line, ReadOnlySpan<byte> json, string id)
    {
        try
        {
            var parsed = JsonElement.Parse(json, Strict);
            if (parsed.ValueKind != JsonValueKind.Object) return Malformed(line, "This is no JSON object.");
            var fields = parsed.EnumerateObject().Select(property => new Field(property.Name, property.Value.GetRawText()));
            return Of(line, [.. fields], id);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException) // or half a surrogate pair
        {
            return Malformed(line, "This is no JSON object, or has a field twice.");
        }
    }

    /// <exception cref="JsonException">A value is no JSON.</exception>
    public static Item Of(long line, IReadOnlyList<Field> fields, string id)
    {
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var field in fields.Where(field => !field.IsNull && field.Name is not ("created" or "occurred" or "sequence"))) Write(field.Name, field.Json);
            if (Find("id") is null) writer.WriteString("id", id);
            if (Find("timestamp") is null && (Find("occurred") ?? Find("created")) is { } time) Write("timestamp", AsRfc3339(time));
            writer.WriteEndObject();

            void Write(string name, string value)
            {
                writer.WritePropertyName(name);
                writer.WriteRawValue(value);
            }
        }
        return new(line, json.ToArray(), null);

        string? Find(string name) =>
            fields.Where(field => field.Name == name && !field.IsNull).Select(field => field.Json).FirstOrDefault();
    }

    private static string AsRfc3339(string created) =>
        created.StartsWith('"') && DateTimeOffset.TryParseExact(JsonSerializer.Deserialize(created, ImportJson.Default.String),
            PostgresTimes, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? $"\"{time.UtcDateTime:O}\"" : created;
}

/// <summary>
/// Names what has no id by everything up to and including it: the same file counts once, however it is called or
/// compressed, and one that has grown at its end counts what is new.
/// </summary>
internal sealed class PrefixIds : IDisposable
{
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    public string Next(ReadOnlySpan<byte> text)
    {
        hash.AppendData(text);
        hash.AppendData("\n"u8);
        return Convert.ToHexStringLower(hash.GetCurrentHash());
    }

    public void Dispose() => hash.Dispose();
}
