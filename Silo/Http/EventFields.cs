using System.Text;
using Tally.Contracts;

namespace Tally.Silo.Http;

/// <summary>The fields of one event as a client sends them, in a form or in JSON, before anything is checked.</summary>
public sealed class EventFields
{
    public string? Action { get; set; }
    public string? Product { get; set; }
    public string? Fingerprint { get; set; }
    public string? Id { get; set; }

    /// <summary>What is wrong with the fields, or null.</summary>
    public Refusal? Check(Limits limits) =>
        CheckText("action", Action, limits.ActionBytesMax)
        ?? CheckText("product", Product, limits.ProductBytesMax)
        ?? CheckText("fingerprint", Fingerprint, limits.FingerprintBytesMax)
        ?? CheckId(Id, limits.EventIdCharactersMax);

    public static Refusal? CheckText(string field, string? value, int bytesMax)
    {
        if (string.IsNullOrEmpty(value)) return Refusal.MissingField(field);
        if (HasInvalidCharacters(value, controlsAllowed: false)) return Refusal.InvalidCharacters(field);
        return Encoding.UTF8.GetByteCount(value) > bytesMax ? Refusal.TooLong(field, bytesMax, "bytes of UTF-8") : null;
    }

    // Any string but one that is no Unicode: it is only hashed. Empty is not "none": a client that sends it has a
    // mistake that would make each of its retries count.
    private static Refusal? CheckId(string? id, int charactersMax)
    {
        if (id is null) return null;
        if (id.Length == 0) return Refusal.MissingField("id");
        if (HasInvalidCharacters(id, controlsAllowed: true)) return Refusal.InvalidCharacters("id");
        return id.Length > charactersMax ? Refusal.TooLong("id", charactersMax, "characters") : null;
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
}
