using System.Text.Json;

namespace Tally.Contracts;

/// <summary>What all parts must agree on about an event's properties.</summary>
public static class EventProperties
{
    /// <summary>
    /// Where an event that counts when it arrives keeps its client's own time, as the client wrote it.
    /// </summary>
    public const string ClientTimestamp = "$timestamp";

    // What the server adds of what the event's request says, and what it makes of referrer and utm.
    public const string Browser = "$browser", System = "$os", Device = "$device", Country = "$country",
        Channel = "$channel";

    // A repeat may come from another network, or with another version of the browser.
    private static readonly HashSet<string> NoContent = [ClientTimestamp, Browser, System, Device, Country, Channel];

    // Deeper than any limit on what is recorded.
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = 1_024 };

    /// <summary>
    /// Whether two texts are the same JSON value (RFC 8259): white space, the order of members and the way to write a
    /// number or a character make no difference. Neither do <see cref="ClientTimestamp"/> and what the server
    /// adds, since that is no content. None is the same as an empty object.
    /// </summary>
    public static bool AreEqual(string? a, string? b)
    {
        if (a == b) return true;
        try
        {
            using var one = JsonDocument.Parse(a ?? "{}", Options);
            using var other = JsonDocument.Parse(b ?? "{}", Options);
            var (left, right) = (Content(one), Content(other));
            return left.Count == right.Count
                && left.All(member =>
                    right.TryGetValue(member.Key, out var value) && JsonElement.DeepEquals(member.Value, value));
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return false; // no object, not even JSON, or with a number beyond all limits: equal to itself alone
        }
    }

    private static Dictionary<string, JsonElement> Content(JsonDocument properties)
    {
        var content = new Dictionary<string, JsonElement>();
        foreach (var member in properties.RootElement.EnumerateObject())
            if (!NoContent.Contains(member.Name)) content[member.Name] = member.Value;
        return content;
    }
}
