using System.Globalization;
using System.Text.Json;

namespace Tally.Silo.Import;

/// <param name="Name">Which field of an event it is.</param>
/// <param name="Json">The value's own text.</param>
internal readonly record struct Field(FieldName Name, string Json)
{
    public static string OfText(string text) => JsonSerializer.Serialize(text, ImportJson.Default.String);
}

/// <summary>An event as its source has it, ready for the service, which checks it.</summary>
/// <param name="Line">Its line, or its row, in the source.</param>
/// <param name="Json">One object; null where there is a problem.</param>
/// <param name="Problem">Why the source's text is no event.</param>
internal sealed record Item(long Line, byte[]? Json, string? Problem)
{
    /// <summary>Whether its source says when it happened.</summary>
    public bool HasTime { get; private init; }

    /// <summary>Whether its source means several things by one name.</summary>
    public bool IsAmbiguous { get; private init; }

    // As databases and spreadsheets write it; without a zone it means UTC here.
    private static readonly string[] Times =
    [
        "yyyy-MM-dd",
        .. from separator in (string[])["' '", "'T'"]
           from zone in (string[])["", "zz", "zzz"]
           from clock in (string[])["HH:mm:ss.FFFFFFF", "HH:mm"]
           select $"yyyy-MM-dd{separator}{clock}{zone}",
    ];

    public static Item Malformed(long line, string problem) => new(line, null, problem);
    public static Item WithoutTime(long line) => Malformed(line, "The event has no time; -time=now dates what has none to now.");

    /// <param name="line">Its line.</param>
    /// <param name="fields">Those that are there; their values are JSON.</param>
    /// <param name="id">Names it where it has no id of its own.</param>
    public static Item Of(long line, IReadOnlyList<Field> fields, Func<string> id)
    {
        var names = fields.Select(field => (FieldName?)field.Name).ToList();
        var hasTime = false;
        using var json = new MemoryStream();
        using (var writer = new Utf8JsonWriter(json))
        {
            writer.WriteStartObject();
            foreach (var name in FieldName.Fields)
            {
                if (FieldName.Choose(names, name, out var at) is { } ambiguous) return Malformed(line, ambiguous) with { IsAmbiguous = true };
                if (at < 0 && name != "id") continue;
                var value = at < 0 ? Field.OfText(id()) : fields[at].Json;
                hasTime |= name == "timestamp";
                writer.WritePropertyName(name);
                writer.WriteRawValue(name == "timestamp" ? AsRfc3339(value) : value, skipInputValidation: true);
            }
            writer.WriteEndObject();
        }
        return new(line, json.ToArray(), null) { HasTime = hasTime };
    }

    private static string AsRfc3339(string json) =>
        json.StartsWith('"') && DateTimeOffset.TryParseExact(JsonSerializer.Deserialize(json, ImportJson.Default.String),
            Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time)
            ? $"\"{time.UtcDateTime:O}\"" : json;
}
