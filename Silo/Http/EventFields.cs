using System.Text;
using System.Text.Json.Serialization;
using Tally.Contracts;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http;

/// <summary>
/// The fields of one event as a client sends them, in a form or in JSON, before anything is checked. An optional field that is
/// empty is one that is not there: a form sends all of its inputs.
/// </summary>
public sealed class EventFields
{
    /// <summary>Those with a text. Properties are their own.</summary>
    internal static readonly string[] Names = ["action", "product", "fingerprint", "id", "timestamp", "occurred"];

    /// <summary>Half a surrogate pair, of a text that was cut, counts as U+FFFD: an action identifies nobody, so nothing is mixed up.</summary>
    public string? Action { get; set => field = value is null ? null : JsonText.WithoutHalves(value); }
    public string? Product { get; set; }
    public string? Fingerprint { get; set => field = OrNone(value); }
    public string? Id { get; set => field = OrNone(value); }

    /// <summary>When it happened, as <see cref="Http.Timestamp"/> reads it.</summary>
    public string? Timestamp { get; set => field = OrNone(value); }

    /// <summary>The same under the name that it has in the log and in exports; <see cref="Timestamp"/> comes first.</summary>
    public string? Occurred { get; set => field = OrNone(value); }

    /// <summary>A JSON object's text, as the client wrote it.</summary>
    [JsonConverter(typeof(RawJson))]
    public string? Properties { get; set => field = OrNone(value); }

    /// <summary>Whether it may be older than what happens now, as what is imported is.</summary>
    [JsonIgnore]
    public bool IsHistory { get; set; }

    /// <summary>
    /// Whether an event whose time is out of range counts when it arrives, where another is refused: its sender has no hand in
    /// its clock, or no way to send it again.
    /// </summary>
    [JsonIgnore]
    public bool CountsOnArrival { get; set; }

    /// <summary>What the client wrote where <see cref="Timestamp"/> is made of it.</summary>
    [JsonIgnore]
    public string? ClientTimestamp { get; set; }

    /// <summary>Sets a field by its name.</summary>
    /// <returns>False where it is set already.</returns>
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
            default: return !Names.Contains(name) && name != "properties"; // one that nobody knows is passed over
        }
    }

    // The first moment of all is no time in Postgres, which takes it for minus infinity, and in most programs means that there is none.
    private static readonly DateTimeOffset Earliest = new(1, 1, 2, 0, 0, 0, TimeSpan.Zero);

    private static string? OrNone(string? value) => value is "" ? null : value;

    /// <summary>The event that the fields are, accepted at <paramref name="now"/>, or what is wrong with them.</summary>
    public Refusal? ToEvent(Limits limits, DateTimeOffset now, out Event? @event)
    {
        @event = null;
        var created = WholeMicroseconds(now);
        var occurred = created;
        var properties = Properties;
        var refusal = CheckText("action", Action, limits.ActionBytesMax)
            ?? CheckText("product", Product, limits.ProductBytesMax)
            ?? CheckText("fingerprint", Fingerprint, limits.FingerprintBytesMax)
            ?? CheckId("id", Id, limits.EventIdCharactersMax)
            ?? (Properties is null ? null : PropertiesJson.Read(Properties, limits.PropertiesBytesMax, out properties))
            ?? ReadTimestamp(limits, now, ref occurred, ref properties);
        if (refusal is null)
            @event = new(Id is null ? EventIds.Create(now) : EventIds.FromClient(Id), Action!, Product!, created, occurred, properties);
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

    // Any string but one that is no Unicode: it is only hashed.
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

    private Refusal? ReadTimestamp(Limits limits, DateTimeOffset now, ref DateTime occurred, ref string? properties)
    {
        if ((Timestamp ?? Occurred) is not { } timestamp) return null;
        if (Http.Timestamp.Read(timestamp, out var time) is { } unreadable) return unreadable;
        var earliest = IsHistory ? Earliest : now.AddDays(-limits.TimestampPastDaysMax);
        if (time >= earliest && time <= now.AddMinutes(limits.TimestampAheadMinutesMax))
        {
            occurred = WholeMicroseconds(time);
            return null;
        }
        if (!CountsOnArrival) return Refusal.TimestampOutOfRange(limits, IsHistory);
        var withTime = PropertiesJson.With(properties, EventProperties.ClientTimestamp, ClientTimestamp ?? timestamp);
        if (Encoding.UTF8.GetByteCount(withTime) <= limits.PropertiesBytesMax) properties = withTime; // the event matters more than its clock
        return null;
    }

    // What both databases keep, so that memory and log never differ.
    internal static DateTime WholeMicroseconds(DateTimeOffset time) =>
        new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
}
