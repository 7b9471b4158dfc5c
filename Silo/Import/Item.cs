using System.Globalization;
using System.Text.Json;
using Tally.Silo.Http;

namespace Tally.Silo.Import;

/// <param name="Json">The value, as JSON.</param>
internal readonly record struct Field(FieldName Name, string Json)
{
    public static string ToJson(string text) => JsonSerializer.Serialize(text, HttpJson.Default.String);
}

/// <summary>An event from a source, ready to be sent. The service checks it.</summary>
/// <param name="Line">Its line, or its row, in the source.</param>
/// <param name="Json">The event as a JSON object; null if there is a problem.</param>
/// <param name="Problem">Why the text is not an event.</param>
internal sealed record Item(long Line, byte[]? Json, string? Problem)
{
    /// <summary>Whether it has a time.</summary>
    public bool HasTime { get; private init; }

    /// <summary>Of what kind it is, if it is left out on purpose.</summary>
    public string? LeftOutAs { get; private init; }

    /// <summary>Whether several of its names mean the same field.</summary>
    public bool IsAmbiguous { get; private init; }

    // Formats of databases and spreadsheets. Without a zone, a time is UTC.
    private static readonly string[] Times =
    [
        "yyyy-MM-dd",
        .. from separator in (string[])["' '", "'T'"]
           from zone in (string[])["", "zz", "zzz"]
           from clock in (string[])["HH:mm:ss.FFFFFFF", "HH:mm"]
           select $"yyyy-MM-dd{separator}{clock}{zone}",
    ];

    public static Item Malformed(long line, string problem) => new(line, null, problem);

    /// <param name="kind">In the plural, for the count of all that are left out.</param>
    public static Item LeftOut(long line, string kind) => new(line, null, null) { LeftOutAs = kind };

    public static Item WithoutTime(long line) =>
        Malformed(line, "The event has no time; -time=now gives such events the current time.");

    /// <param name="id">Makes an id for an event that has none.</param>
    public static Item Create(long line, IReadOnlyList<Field> fields, Func<string> id)
    {
        var names = fields.Select(field => (FieldName?)field.Name).ToList();
        var hasTime = false;
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var name in FieldName.Fields)
            {
                if (FieldName.Choose(names, name, out var at) is { } ambiguous)
                    return Malformed(line, ambiguous) with { IsAmbiguous = true };
                if (at < 0 && name != "id") continue;
                var value = at < 0 ? Field.ToJson(id()) : fields[at].Json;
                hasTime |= name == "timestamp";
                writer.WritePropertyName(name);
                writer.WriteRawValue(name == "timestamp" ? AsRfc3339(value) : value, skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return new(line, json.ToArray(), null) { HasTime = hasTime };
    }

    /// <param name="fields">Unchecked. They have an id.</param>
    public static Item From(long line, EventFields fields)
    {
        if (fields.Timestamp is null) return Malformed(line, "The event has no time.");
        fields.Timestamp = AsUtc(fields.Timestamp) ?? fields.Timestamp;
        return new(line, JsonSerializer.SerializeToUtf8Bytes(fields, HttpJson.Default.EventFields), null)
        {
            HasTime = true,
        };
    }

    private static string AsRfc3339(string json) =>
        json.StartsWith('"') && AsUtc(JsonSerializer.Deserialize(json, HttpJson.Default.String)) is { } time
            ? $"\"{time}\"" : json;

    private static string? AsUtc(string? text) =>
        DateTimeOffset.TryParseExact(text, Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal,
            out var time) ? time.UtcDateTime.ToString("O", CultureInfo.InvariantCulture) : null;
}
