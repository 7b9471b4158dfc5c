using System.Globalization;
using System.Text;
using System.Text.Json;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Segment;

/// <summary>
/// One message of Segment's specification: <c>messageId</c> is the event's id, <c>anonymousId</c> its fingerprint, or
/// <c>userId</c> where there is none, so that a visitor who logs in stays the same one. The action is what was tracked,
/// or the message's type.
/// </summary>
internal static class SegmentMessage
{
    // What a message says beside its properties or traits. An identify without its user would say nothing.
    private static readonly string[] SaidBeside = ["userId", "groupId", "previousId", "name", "category"];

    private static readonly string[] Names =
        [.. SaidBeside, "type", "event", "anonymousId", "messageId", "timestamp", "originalTimestamp", "sentAt", "properties", "traits"];

    /// <param name="json">As it came.</param>
    /// <param name="type">Where the path tells it; in a batch each message does.</param>
    /// <param name="body">What it came in.</param>
    /// <param name="now">When it came.</param>
    /// <returns>The event's fields, unchecked, or why the message has none.</returns>
    public static BatchItem Read(ReadOnlySpan<byte> json, string? type, SegmentBody body, DateTimeOffset now)
    {
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Read(json, Names, members) is { } malformed) return new(null, malformed);
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
                Timestamp = Corrected(timestamp, body.SentAt ?? Text(json, members, "sentAt"), now),
                ClientTimestamp = timestamp,
                Properties = PropertiesOf(json, members, type is "identify" or "group" ? "traits" : "properties", fingerprint),
                IsHistory = body.IsHistory,
                CountsOnArrival = true,
            }, null);
        }
        catch (DecoderFallbackException)
        {
            return new(null, Refusal.MalformedBody("A message is not in UTF-8."));
        }
    }

    private static JsonMember Member(ReadOnlySpan<JsonMember> members, string name) => members[Array.IndexOf(Names, name)];

    private static string? Text(ReadOnlySpan<byte> json, ReadOnlySpan<JsonMember> members, string name) => Member(members, name).TextOf(json);

    // As Segment does: what counts is how long before the sending it was, whatever the sender's clock shows.
    private static string? Corrected(string? timestamp, string? sentAt, DateTimeOffset now)
    {
        if (!Http.Timestamp.TryParse(sentAt ?? "", out var sent) || !Http.Timestamp.TryParse(timestamp ?? "", out var time)) return timestamp;
        var ticks = time.UtcTicks + (now - sent).Ticks;
        return ticks < 0 || ticks > DateTime.MaxValue.Ticks ? timestamp
            : new DateTime(ticks, DateTimeKind.Utc).ToString("O", CultureInfo.InvariantCulture);
    }

    private static string? PropertiesOf(ReadOnlySpan<byte> json, ReadOnlySpan<JsonMember> members, string name, string? fingerprint)
    {
        var member = Member(members, name);
        var sent = EventJson.PropertiesOf(json, member);
        if (member.Kind == JsonTokenType.StartArray && IsEmptyArray(sent!)) sent = null; // PHP's word for an empty object
        var beside = new List<(string Name, string Value)>();
        foreach (var field in SaidBeside)
            if (Text(json, members, field) is { } text && text != fingerprint) beside.Add((field, text));
        if (beside.Count == 0) return sent;
        string? properties = null;
        if (sent is { Length: > 0 } && PropertiesJson.Read(sent, sent.Length * 3, out properties) is not null) return sent; // to be refused
        return PropertiesJson.WithMissing(properties, beside);
    }

    private static bool IsEmptyArray(string array) => array.AsSpan(1).TrimStart().Length == 1;
}
