using System.Text;
using System.Text.Json;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Segment;

/// <summary>
/// One message of Segment's specification: <c>messageId</c> is the event's id. <c>anonymousId</c> is its fingerprint,
/// or <c>userId</c> if there is none, so a visitor who logs in keeps a fingerprint. The action is the tracked event, or
/// the message's type.
/// </summary>
internal static class SegmentMessage
{
    // Members beside the properties or traits that are kept with them: an identify without its user would mean nothing.
    private static readonly string[] KeptMembers = ["userId", "groupId", "previousId", "name", "category"];

    private static readonly string[] Names =
    [
        .. KeptMembers, "type", "event", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt",
        "properties", "traits",
    ];

    /// <param name="type">The type in the path; null in a batch, where each message has its own.</param>
    /// <returns>The event's fields, unchecked, or why the message is refused.</returns>
    public static BatchItem Parse(ReadOnlySpan<byte> json, string? type, SegmentBody body, DateTimeOffset now)
    {
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Find(json, Names, members) is { } malformed) return new(null, malformed);
        try
        {
            type ??= Text(json, members, "type");
            if (type is null || !SegmentEndpoints.Types.Contains(type)) return new(null, Refusal.UnknownType());
            var fingerprint = Text(json, members, "anonymousId") ?? Text(json, members, "userId");
            var timestamp = Text(json, members, "timestamp") ?? Text(json, members, "originalTimestamp");
            return new(new()
            {
                Action = type == "track" ? Text(json, members, "event") : type,
                Product = body.Product,
                Fingerprint = fingerprint,
                Id = Text(json, members, "messageId"),
                Timestamp = SenderClock.Corrected(timestamp, body.SentAt ?? Text(json, members, "sentAt"), now),
                ClientTimestamp = timestamp,
                Properties =
                    PropertiesIn(json, Member(members, type is "identify" or "group" ? "traits" : "properties")),
                MoreProperties = KeptIn(json, members, fingerprint),
                IsHistory = body.IsHistory,
                CountsOnArrival = true,
            }, null);
        }
        catch (DecoderFallbackException)
        {
            return new(null, Refusal.MalformedBody("A message is not in UTF-8."));
        }
    }

    private static JsonMember Member(ReadOnlySpan<JsonMember> members, string name) =>
        members[Array.IndexOf(Names, name)];

    private static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<JsonMember> members, string name) =>
        Member(members, name).TextIn(json);

    private static string? PropertiesIn(ReadOnlySpan<byte> json, JsonMember member)
    {
        var properties = EventJson.PropertiesOf(json, member);
        // PHP writes an empty object as [].
        return member.Kind == JsonTokenType.StartArray && IsEmptyArray(properties!) ? null : properties;
    }

    private static List<(string Name, string Value)> KeptIn(
        ReadOnlySpan<byte> json, ReadOnlySpan<JsonMember> members, string? fingerprint)
    {
        var kept = new List<(string, string)>();
        foreach (var name in KeptMembers)
            if (Text(json, members, name) is { } text && text != fingerprint) kept.Add((name, text));
        return kept;
    }

    private static bool IsEmptyArray(string array) => array.AsSpan(1).TrimStart().Length == 1;
}
