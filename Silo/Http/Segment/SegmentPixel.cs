using System.Text;
using System.Text.Json.Nodes;
using Tally.Contracts;

namespace Tally.Silo.Http.Segment;

/// <summary>
/// Segment's pixel: a message as an image's address. Its JSON is in <c>data</c>, in base64, or each member has a
/// parameter of its own, as in <c>?userId=1&amp;properties.plan=pro</c>.
/// </summary>
internal static class SegmentPixel
{
    private const string Data = "data";

    private static readonly string[] Groups = ["properties", "traits"];

    public static void MapSegmentPixel(this IEndpointRouteBuilder v1)
    {
        foreach (var type in SegmentEndpoints.Types)
            v1.MapGet("pixel/" + type, (HttpContext context, Ingestion ingestion, Limits limits, TimeProvider clock) =>
                Get(context, type, ingestion, limits, clock));
    }

    private static async Task<IResult> Get(
        HttpContext context, string type, Ingestion ingestion, Limits limits, TimeProvider clock)
    {
        PixelEndpoint.AllowAnyPage(context.Response);
        if (ParseQuery(context.Request.QueryString, out var query) is { } malformed) return malformed;
        var json = query.TryGetValue(Data, out var data) ? LenientBase64.Decode(data, limits.EventBodyBytesMax)
            : ToJson(query);
        if (json is null) return Refusal.MalformedBody("The parameter data is not base64.");
        var (body, refusal) = SegmentBody.Parse(context.Request, json);
        if (body is null) return refusal!;
        return PixelEndpoint.ImageUnless(await SegmentEndpoints.Record(body, type, ingestion, context, clock));
    }

    private static Refusal? ParseQuery(QueryString text, out Dictionary<string, string> query)
    {
        if (FormPairs.Parse(text, out query) is { } malformed) return malformed;
        var names = query.Keys;
        var twice =
            Groups.FirstOrDefault(group =>
                names.Contains(group) && names.Any(name => name.StartsWith(group + '.', StringComparison.Ordinal)));
        return twice is null ? null : Refusal.DuplicateField(twice);
    }

    private static byte[] ToJson(Dictionary<string, string> query)
    {
        var message = new JsonObject();
        foreach (var (name, value) in query)
        {
            var (parent, member) = name.Split('.', 2) is [var group, var inner] && Groups.Contains(group)
                ? (Child(message, group), inner) : (message, name);
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
