using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>The fields of one event as a client sends them, in a form or in JSON, before anything is checked.</summary>
public sealed class EventFields
{
    public string? Action { get; set; }
    public string? Product { get; set; }
    public string? Fingerprint { get; set; }
    public string? Id { get; set; }

    /// <summary>RFC 3339.</summary>
    public string? Timestamp { get; set; }

    /// <summary>A JSON object's text, as the client wrote it.</summary>
    [JsonConverter(typeof(RawJson))]
    public string? Properties { get; set; }

    /// <summary>Whether it may be older than what happens now, as what is imported is.</summary>
    [JsonIgnore]
    public bool IsHistory { get; set; }

    /// <summary>The event that the fields are, accepted at <paramref name="now"/>, or what is wrong with them.</summary>
    public Refusal? ToEvent(Limits limits, DateTimeOffset now, out Event? @event)
    {
        @event = null;
        var created = WholeMicroseconds(now);
        var occurred = created;
        var refusal = CheckText("action", Action, limits.ActionBytesMax)
            ?? CheckText("product", Product, limits.ProductBytesMax)
            ?? CheckText("fingerprint", Fingerprint, limits.FingerprintBytesMax)
            ?? CheckId("id", Id, limits.EventIdCharactersMax)
            ?? ReadTimestamp(limits, now, ref occurred)
            ?? CheckProperties(limits.PropertiesBytesMax);
        if (refusal is null)
            @event = new(Id is null ? EventIds.Create(now) : EventIds.FromClient(Id), Action!, Product!, created, occurred, Properties);
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

    // Any string but one that is no Unicode: it is only hashed. Empty is not "none": a client that sends it has a
    // mistake that would make each of its retries count.
    public static Refusal? CheckId(string field, string? id, int charactersMax)
    {
        if (id is null) return null;
        if (id.Length == 0) return Refusal.MissingField(field);
        if (HasInvalidCharacters(id, controlsAllowed: true)) return Refusal.InvalidCharacters(field);
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

    private Refusal? ReadTimestamp(Limits limits, DateTimeOffset now, ref DateTime occurred)
    {
        if (Timestamp is null) return null;
        if (!Rfc3339.TryParse(Timestamp, out var time)) return Refusal.InvalidTimestamp();
        if (!IsHistory && time < now.AddDays(-limits.TimestampPastDaysMax) || time > now.AddMinutes(limits.TimestampAheadMinutesMax))
            return Refusal.TimestampOutOfRange(limits);
        occurred = WholeMicroseconds(time);
        return null;
    }

    private Refusal? CheckProperties(int bytesMax) =>
        Properties is null ? null
        : Encoding.UTF8.GetByteCount(Properties) > bytesMax ? Refusal.TooLong("properties", bytesMax, "bytes of UTF-8")
        : IsJsonObject(Properties) ? null : Refusal.InvalidProperties();

    private static bool IsJsonObject(string text)
    {
        try
        {
            var reader = new Utf8JsonReader(Encoding.UTF8.GetBytes(text));
            return reader.Read() && reader.TokenType == JsonTokenType.StartObject && reader.TrySkip() && !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    // What both databases keep, so that memory and log never differ.
    internal static DateTime WholeMicroseconds(DateTimeOffset time) =>
        new(time.UtcTicks - time.UtcTicks % TimeSpan.TicksPerMicrosecond, DateTimeKind.Utc);
}
