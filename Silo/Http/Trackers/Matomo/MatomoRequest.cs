using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Tally.Silo.Http.Batches;

namespace Tally.Silo.Http.Trackers.Matomo;

/// <summary>One request of Matomo's tracking API: pairs of names and texts.</summary>
internal static partial class MatomoRequest
{
    // What it was made of, what a property stands for, and what nobody needs: the sender's own address and user agent,
    // exact places, the client's settings and its own counters.
    private static readonly HashSet<string> NotKept =
    [
        "idsite", "rec", "apiv", "rand", "r", "token_auth", "writeKey", "send_image", "bots", "queuedtracking",
        "url", "urlref", "action_name", "lang", "res", "cdt", "cdo", "_id", "cid", "ping", "ca", "link", "download",
        "cip", "ua", "uadata", "lat", "long", "h", "m", "s", "cookie", "fla", "java", "dir", "qt", "realp", "pdf",
        "wma", "gears", "ag", "cs", "_idts", "_idvc", "_idn", "_viewts", "_refts", "_ref", "_rcn", "_rck", "_ects",
        "new_visit",
    ];

    private static readonly HashSet<string> Numbers =
        ["e_v", "revenue", "ec_st", "ec_tx", "ec_sh", "ec_dt", "search_count", "idgoal", "bw_bytes"];

    private static readonly HashSet<string> Structures = ["ec_items", "cvar", "_cvar"];

    // Matomo writes times in UTC, without saying so.
    [GeneratedRegex(@"^[0-9]{4}-[0-9]{2}-[0-9]{2}[ T][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?\z")]
    private static partial Regex ZonelessTime();

    [GeneratedRegex(@"^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?\z")]
    private static partial Regex PlainNumber();

    /// <summary>One of a bulk: a query in a text, or an object of texts and numbers.</summary>
    public static BatchItem Parse(JsonElement request, string? product, bool isHistory, DateTimeOffset now)
    {
        Dictionary<string, string> sent = [];
        if (request.ValueKind == JsonValueKind.Object)
        {
            foreach (var member in request.EnumerateObject())
                if (member.Value.Text() is { } text) sent[member.Name] = text;
        }
        else if (request.ValueKind != JsonValueKind.String) return new(null, Refusal.MalformedEvent());
        else if (FormPairs.Parse(WithoutMark(Encoding.UTF8.GetBytes(request.Text() ?? "")), out sent)
            is { } malformed) return new(null, malformed);
        return Parse(sent, product, isHistory, now);
    }

    /// <param name="product">The key's product; null for the site's id.</param>
    /// <returns>The event's fields, unchecked, or why it is refused.</returns>
    public static BatchItem Parse(
        Dictionary<string, string> sent, string? product, bool isHistory, DateTimeOffset now)
    {
        if (sent.GetValueOrDefault("rec") != "1") return new(null, Refusal.UnknownValue("rec", "1"));
        string? Text(string name) => sent.GetValueOrDefault(name) is { Length: > 0 } text ? text : null;
        var visitor = Text("cid") ?? Text("_id") ?? Text("uid");
        return new(new()
        {
            Action = ActionOf(Text),
            Product = product ?? Text("idsite"),
            Fingerprint = visitor,
            Timestamp = TimeOf(Text("cdt"), Text("cdo"), now),
            Properties = PropertiesOf(sent, Text, visitor),
            IsHistory = isHistory,
        }, null);
    }

    /// <summary>A query that may begin with its question mark.</summary>
    public static ReadOnlySpan<byte> WithoutMark(ReadOnlySpan<byte> query) =>
        query is [(byte)'?', ..] ? query[1..] : query;

    // Some SDKs do not know the time, and say how many seconds ago it was.
    private static string? TimeOf(string? time, string? secondsAgo, DateTimeOffset now) =>
        time is not null ? ZonelessTime().IsMatch(time) ? time + "Z" : time
        : uint.TryParse(secondsAgo, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
            ? now.AddSeconds(-seconds).UtcDateTime.ToString("O", CultureInfo.InvariantCulture)
        : null;

    private static string ActionOf(Func<string, string?> text) =>
        text("ping") == "1" ? "ping"
        : text("e_c") is not null && text("e_a") is { } action ? action
        : text("download") is not null ? "download"
        : text("link") is not null ? "outbound"
        : text("search") is not null ? "search"
        : text("c_n") is not null ? text("c_i") is null ? "impression" : "interaction"
        : text("idgoal") is { } goal ? goal != "0" ? "goal" : text("ec_id") is null ? "cart" : "order"
        : text("ca") == "1" ? "custom"
        : EventFields.PageView;

    private static string? PropertiesOf(
        Dictionary<string, string> sent, Func<string, string?> text, string? visitor)
    {
        var properties = new TrackerProperties();
        properties.AddPage(PageUrl.Parse(text("url")), text("urlref"));
        properties.Add("title", text("action_name"));
        properties.Add("language", text("lang"));
        properties.AddScreen(text("res"));
        if (PageUrl.Parse(text("download") ?? text("link")) is { } link) properties.Add("link", link.Host + link.Path);
        foreach (var (name, value) in sent)
            if (NotKept.Contains(name)) continue;
            else if (Numbers.Contains(name) && PlainNumber().IsMatch(value)) properties.AddNumber(name, value);
            else if (Structures.Contains(name)
                && TrackerJson.Parse(Encoding.UTF8.GetBytes(value), out var json) is null) properties.Add(name, json);
            else if (name != "uid" || value != visitor) properties.Add(name, value);
        return properties.ToJson();
    }
}
