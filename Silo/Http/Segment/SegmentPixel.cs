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
        if (request.Query[Data].Count > 1) return Refused(Refusal.DuplicateField(Data));
        var json = request.Query[Data] is [var data] ? Decode(data!, limits) : Spelled(request.Query);
        if (json is null) return Refused(Refusal.MalformedBody("The parameter data is no base64."));
        var (body, refusal) = SegmentBody.Read(request, json);
        if (body is null) return Refused(refusal!);
        var answer = await SegmentEndpoints.Record(body, type, intake, request.HttpContext, clock);
        return answer.Refusal is { } refused ? refused : PixelEndpoint.Answer();
    }

    // In either alphabet, padded or not; and where a plus was not encoded, the query's reader has made a space of it.
    private static byte[]? Decode(string data, Limits limits)
    {
        var text = data.TrimEnd('=').Replace('+', '-').Replace(' ', '-').Replace('/', '_');
        return text.Length <= Base64Url.GetEncodedLength(limits.EventBodyBytesMax) && Base64Url.IsValid(text) ? Base64Url.DecodeFromChars(text) : null;
    }

    private static byte[] Spelled(IQueryCollection query)
    {
        var message = new JsonObject();
        foreach (var (name, values) in query)
        {
            var (parent, member) = name.Split('.') is [("properties" or "traits") and var group, var inner] ? (Child(message, group), inner) : (message, name);
            parent[member] = values.Count > 0 ? values[^1] : null;
        }
        return Encoding.UTF8.GetBytes(message.ToJsonString());
    }

    private static JsonObject Child(JsonObject message, string name)
    {
        if (message[name] is not JsonObject child) message[name] = child = [];
        return child;
    }

    private static IResult Refused(Refusal refusal) => Intake.Refused(refusal).ToResult();
}
