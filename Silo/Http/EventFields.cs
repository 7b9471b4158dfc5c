using System.Text;
using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Silo.Http.Json;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>
/// The fields of one event as a client sends them, in a form or in JSON, unchecked. An optional field that is empty
/// counts as missing, since a form sends all of its inputs.
/// </summary>
public sealed class EventFields
{
    /// <summary>The text fields; properties are JSON.</summary>
    internal static readonly string[] Names = ["action", "product", "fingerprint", "id", "timestamp", "occurred"];

    /// <summary>The action of a view of a page, as the script tag sends it.</summary>
    internal const string PageView = "view";

    // Postgres takes the first moment of all for minus infinity, and most programs for no time at all.
    private static readonly DateTimeOffset Earliest = new(1, 1, 2, 0, 0, 0, TimeSpan.Zero);

    /// <summary>Half a surrogate pair, from a text that was cut, becomes U+FFFD: it identifies nobody.</summary>
    public string? Action { get; set => field = value is null ? null : JsonText.WithoutHalves(value); }
    public string? Product { get; set; }
    public string? Fingerprint { get; set => field = NullIfEmpty(value); }
    public string? Id { get; set => field = NullIfEmpty(value); }

    /// <summary>When the event happened, in a format that <see cref="Http.Timestamp"/> parses.</summary>
    public string? Timestamp { get; set => field = NullIfEmpty(value); }

    /// <summary>The same under its name in the log and in exports; <see cref="Timestamp"/> takes precedence.</summary>
    public string? Occurred { get; set => field = NullIfEmpty(value); }

    /// <summary>A JSON object's text, as the client wrote it.</summary>
    [JsonConverter(typeof(RawJson))]
    public string? Properties { get; set => field = NullIfEmpty(value); }

    /// <summary>Texts that join the properties, unless the properties have members of these names.</summary>
    [JsonIgnore]
    internal IReadOnlyList<(string Name, string Value)> MoreProperties { get; set; } = [];

    /// <summary>Adds properties that the server derives, if it derives any.</summary>
    [JsonIgnore]
    internal Func<string?, string?>? Derive { get; set; }

    /// <summary>Whether the event may be old, as imported events are.</summary>
    [JsonIgnore]
    public bool IsHistory { get; set; }

    /// <summary>
    /// Whether an event whose time is out of range counts when it arrives, instead of being refused: its sender cannot
    /// set its clock, or cannot send it again.
    /// </summary>
    [JsonIgnore]
    public bool CountsOnArrival { get; set; }

    /// <summary>The client's own text, if <see cref="Timestamp"/> was computed from it.</summary>
    [JsonIgnore]
    public string? ClientTimestamp { get; set; }

    /// <summary>Sets a field by its name; unknown names are ignored.</summary>
    /// <returns>False if the field is already set.</returns>
    internal bool TrySet(string name, string value)
    {
        switch (name)
        {
            case "action" when Action is null: Action = value; return true;
            case "product" when Product is null: Product = value; return true;
            case "fingerprint" when Fingerprint is null: Fingerprint = value; return true;
            case "id" when Id is null: Id = value; return true;
            case "timestamp" when Timestamp is null: Timestamp = value; return true;
            case "occurred" when Occurred is null: Occurred = value; return true;
            case "properties" when Properties is null: Properties = value; return true;
            default: return !Names.Contains(name) && name != "properties";
        }
    }

    private static string? NullIfEmpty(string? value) => value is "" ? null : value;

    /// <summary>Checks the fields and makes the event, accepted at <paramref name="now"/>.</summary>
    /// <returns>What is wrong with the fields, or null.</returns>
    public Refusal? ToEvent(Limits limits, DateTimeOffset now, out Event? @event)
    {
        @event = null;
        var created = DatabaseTime.From(now);
        var occurred = created;
        var properties = Properties;
        var refusal = CheckText("action", Action, limits.ActionBytesMax)
            ?? CheckText("product", Product, limits.ProductBytesMax)
            ?? CheckText("fingerprint", Fingerprint, limits.FingerprintBytesMax)
            ?? CheckId("id", Id, limits.EventIdCharactersMax)
            ?? (properties is null ? null
                : PropertiesJson.Normalize(properties, limits.PropertiesBytesMax, out properties))
            ?? (MoreProperties.Count == 0 ? null : AddProperties(ref properties, limits.PropertiesBytesMax))
            ?? ParseTimestamp(limits, now, ref occurred, ref properties);
        if (refusal is null)
            @event = new(Id is null ? EventIds.Create(now) : EventIds.FromClient(Id), Action!, Product!, created,
                occurred, Derive is null ? properties : Derive(properties));
        return refusal;
    }

    /// <summary>An event's id as its client wrote it, or the one it got.</summary>
    public string IdOf(Event @event) => Id ?? @event.Id.ToString();

    public static Refusal? CheckText(string field, string? value, int bytesMax)
    {
        if (string.IsNullOrEmpty(value)) return Refusal.MissingField(field);
        if (HasInvalidCharacters(value, controlsAllowed: false)) return Refusal.InvalidCharacters(field);
        return Encoding.UTF8.GetByteCount(value) > bytesMax ? Refusal.TooLong(field, bytesMax, "bytes of UTF-8") : null;
    }

    // An id is only hashed, so any valid Unicode will do.
    public static Refusal? CheckId(string field, string? id, int charactersMax)
    {
        if (id is null) return null;
        if (id.Length == 0) return Refusal.MissingField(field);
        if (HasInvalidCharacters(id, controlsAllowed: true)) return Refusal.InvalidUnicode(field);
        return id.Length > charactersMax ? Refusal.TooLong(field, charactersMax, "characters") : null;
    }

    private static bool HasInvalidCharacters(string value, bool controlsAllowed)
    {
        for (var i = 0; i < value.Length; i++)
        {
            if (!controlsAllowed && char.IsControl(value[i])) return true;
            if (!char.IsSurrogate(value[i])) continue;
            if (!char.IsSurrogatePair(value, i)) return true;
            i++;
        }
        return false;
    }

    private Refusal? AddProperties(ref string? properties, int bytesMax)
    {
        properties = PropertiesJson.WithMissing(properties, MoreProperties);
        return Encoding.UTF8.GetByteCount(properties) <= bytesMax ? null
            : Refusal.TooLong("properties", bytesMax, "bytes of UTF-8");
    }

    private Refusal? ParseTimestamp(Limits limits, DateTimeOffset now, ref DateTime occurred, ref string? properties)
    {
        if ((Timestamp ?? Occurred) is not { } timestamp) return null;
        if (Http.Timestamp.Parse(timestamp, out var time) is { } malformed) return malformed;
        var earliest = IsHistory ? Earliest : now.AddDays(-limits.TimestampPastDaysMax);
        if (time >= earliest && time <= now.AddMinutes(limits.TimestampAheadMinutesMax))
        {
            occurred = DatabaseTime.From(time);
            return null;
        }
        if (!CountsOnArrival) return Refusal.TimestampOutOfRange(limits, IsHistory);
        var withTime = PropertiesJson.With(properties, EventProperties.ClientTimestamp, ClientTimestamp ?? timestamp);
        // the event matters more than its clock
        if (Encoding.UTF8.GetByteCount(withTime) <= limits.PropertiesBytesMax) properties = withTime;
        return null;
    }
}
