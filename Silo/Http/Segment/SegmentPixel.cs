using System.Buffers.Text;
using System.Text;
using System.Text.Json.Nodes;
using Tally.Contracts;

namespace Tally.Silo.Http.Segment;

/// <summary>
/// Segment's pixel: a message as an image's address, in <c>data</c> as base64 of its JSON, or spelled out with one parameter a
/// member, as in <c>?userId=1&amp;properties.plan=pro</c>.
/// </summary>
internal static class SegmentPixel
{
    private const string Data = "data";

    private static readonly string[] Groups = ["properties", "traits"];

    public static void MapSegmentPixel(this IEndpointRouteBuilder v1)
    {
        foreach (var type in SegmentEndpoints.Types)
            v1.MapGet("pixel/" + type, (HttpRequest request, HttpResponse response, Intake intake, Limits limits, TimeProvider clock) =>
                Get(request, response, type, intake, limits, clock));
    }

    private static async Task<IResult> Get(
        HttpRequest request, HttpResponse response, string type, Intake intake, Limits limits, TimeProvider clock)
    {
        response.OpenToEveryPage();
        response.Headers.CacheControl = "no-store";
        if (ReadQuery(request.QueryString, out var query) is { } unreadable) return SegmentEndpoints.Refused(unreadable);
        var json = query.TryGetValue(Data, out var data) ? Decode(data, limits) : Spelled(query);
        if (json is null) return SegmentEndpoints.Refused(Refusal.MalformedBody("The parameter data is not base64."));
        var (body, refusal) = SegmentBody.Read(request, json);
        if (body is null) return SegmentEndpoints.Refused(refusal!);
        var answer = await SegmentEndpoints.Record(body, type, intake, request.HttpContext, clock);
        return answer.Refusal is { } refused ? refused : PixelEndpoint.Answer();
    }

    private static Refusal? ReadQuery(QueryString text, out Dictionary<string, string> query)
    {
        query = [];
        foreach (var pair in text.ToUriComponent().TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            if (!QueryParameters.TryDecode(pair, out var name, out var value)) return Refusal.MalformedQuery();
            if (!query.TryAdd(name, value)) return Refusal.DuplicateField(name);
        }
        var names = query.Keys;
        var twice = Groups.FirstOrDefault(group => names.Contains(group) && names.Any(name => name.StartsWith(group + '.', StringComparison.Ordinal)));
        return twice is null ? null : Refusal.DuplicateField(twice);
    }

    // In either alphabet, padded or not; and where a plus was not encoded, the query's reader has made a space of it.
    private static byte[]? Decode(string data, Limits limits)
    {
        var text = data.TrimEnd('=').Replace('+', '-').Replace(' ', '-').Replace('/', '_');
        return text.Length <= Base64Url.GetEncodedLength(limits.EventBodyBytesMax) && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
    }

    private static byte[] Spelled(Dictionary<string, string> query)
    {
        var message = new JsonObject();
        foreach (var (name, value) in query)
        {
            var (parent, member) = name.Split('.', 2) is [var group, var inner] && Groups.Contains(group) ? (Child(message, group), inner) : (message, name);
            parent[member] = value;
        }
        return Encoding.UTF8.GetBytes(message.ToJsonString());
    }

    private static JsonObject Child(JsonObject message, string name)
    {
        if (message[name] is not JsonObject child) message[name] = child = [];
        return child;
    }
}
