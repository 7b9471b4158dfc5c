using System.Text.Json;
using Tally.Silo.Http.Json;

namespace Tally.Silo.Http.Trackers;

/// <summary>
/// Plausible's <c>POST /api/event</c>, as its scripts and its Events API use it. They look only at the status, and send
/// nothing again. A long name of a field means the same as its letter.
/// </summary>
internal static class PlausibleEndpoint
{
    private const string PageView = "pageview";

    public static void MapPlausible(this IEndpointRouteBuilder routes) => routes.MapPost("/api/event", Post);

    private static async Task<IResult> Post(HttpContext context, TrackerIntake intake)
    {
        var (json, unread) = await intake.ReadJson(context.Request, intake.Limits.EventBodyBytesMax);
        if (unread is not null) return unread;
        if (json.ValueKind != JsonValueKind.Object) return Refusal.MalformedEvent();
        if (TrackerIntake.FindProduct(context, null, json.Text("d", "domain"), out var product) is { } closed)
            return closed;
        if (Parse(json, product, out var fields) is { } invalid) return invalid;
        return await intake.Record(fields, context) is { } refused ? refused
            : TypedResults.Text("ok", statusCode: StatusCodes.Status202Accepted);
    }

    private static Refusal? Parse(JsonElement json, string? product, out EventFields fields)
    {
        var name = json.Text("n", "name");
        fields = new() { Action = name == PageView ? EventFields.PageView : name, Product = product };
        // One of its scripts sends objects as texts.
        var own = json.FirstOf("p", "props", "m", "meta").Unpacked();
        if (own.ValueKind is not (JsonValueKind.Object or JsonValueKind.Undefined))
            return Refusal.InvalidProperties(PropertiesJson.DepthMax);
        var properties = new TrackerProperties();
        properties.AddMembersOf(own);
        var page = PageUrl.Parse(json.Text("u", "url"));
        if (json.Text("h", "hash_mode") == "1") page = page?.WithHash();
        properties.AddPage(page, json.Text("r", "referrer"));
        properties.AddScreen(json.Text("w", "screen_width"));
        properties.Add("revenue", json.FirstOf("$", "revenue").Unpacked());
        properties.Add("interactive", json.FirstOf("i", "interactive"));
        foreach (var measured in (ReadOnlySpan<string>)["sd", "e"]) // of an engagement: scroll depth and milliseconds
            properties.Add(measured, json.Member(measured));
        fields.Properties = properties.ToJson();
        return null;
    }
}
