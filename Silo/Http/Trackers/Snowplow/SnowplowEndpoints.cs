using System.Text.Json;
using Tally.Silo.Http.Batches;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers.Snowplow;

/// <summary>
/// The collector's tracker protocol 2. A tracker sends again after any 4xx but 400, 401, 403, 410 and 422, so whatever
/// is refused for good in a batch, even of one event, is a 400.
/// </summary>
internal static class SnowplowEndpoints
{
    private static readonly string[] Names = ["data"];

    public static void MapSnowplow(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/com.snowplowanalytics.snowplow/tp2", Post);
        routes.MapGet("/i", Get);
    }

    private static async Task<IResult> Post(HttpContext context, TrackerIntake intake)
    {
        var limits = intake.Limits;
        var (body, unread) = await intake.ReadBody(context.Request, limits.BatchBodyBytesMax, "application/json",
            "text/plain");
        if (body is null) return unread!;
        if (TrackerIntake.FindProduct(context, null, null, out _) is { } closed) return closed;
        if (FindData(body, out var data) is { } malformed) return malformed;
        var (items, tooMany) = JsonItems.Find(body, data, limits.BatchBodyEventsMax);
        if (items is null)
            return tooMany ? Refusal.BatchTooLarge(limits) : Refusal.MalformedBody("The data is not a JSON array.");
        var now = intake.Now;
        var (_, refusal) = await intake.RecordAll(
            items, item => Parse(body.AsSpan(item), context, intake, now), context);
        return refusal is not null ? refusal : TypedResults.Text("ok");
    }

    private static async Task<IResult> Get(HttpContext context, TrackerIntake intake)
    {
        PixelEndpoint.AllowAnyPage(context.Response);
        if (FormPairs.Parse(context.Request.QueryString, out var pairs) is { } malformed) return malformed;
        var item = SnowplowEvent.Parse(pairs, context, intake.Limits, intake.Now);
        return PixelEndpoint.ImageUnless(item.Fields is { } fields ? await intake.Record(fields, context)
            : item.Refusal);
    }

    private static Refusal? FindData(ReadOnlySpan<byte> body, out JsonMember data)
    {
        data = default;
        Span<JsonMember> members = stackalloc JsonMember[Names.Length];
        members.Clear();
        if (JsonMembers.Find(body, Names, members) is { } malformed) return malformed;
        data = members[0];
        return data.Kind == JsonTokenType.None ? Refusal.MissingField("data") : null;
    }

    private static BatchItem Parse(ReadOnlySpan<byte> json, HttpContext context, TrackerIntake intake,
        DateTimeOffset now)
    {
        if (json.Length > intake.Limits.EventBodyBytesMax)
            return new(null, Refusal.EventTooLarge(intake.Limits.EventBodyBytesMax));
        if (TrackerJson.Parse(json, out var sent) is { } malformed) return new(null, malformed);
        if (sent.ValueKind != JsonValueKind.Object) return new(null, Refusal.MalformedEvent());
        var pairs = new Dictionary<string, string>();
        foreach (var member in sent.EnumerateObject())
            if (member.Value.Text() is { } text) pairs.Add(member.Name, text);
        return SnowplowEvent.Parse(pairs, context, intake.Limits, now);
    }
}
