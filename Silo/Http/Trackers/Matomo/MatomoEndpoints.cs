using System.Text.Json;
using System.Text.Json.Serialization;
using Tally.Silo.Http.Access;

namespace Tally.Silo.Http.Trackers.Matomo;

/// <param name="Status">Always "success": anything else is a refusal.</param>
/// <param name="Tracked">Requests that are recorded.</param>
/// <param name="Invalid">Requests that are refused.</param>
/// <param name="InvalidIndices">Their places, from 0.</param>
public sealed record MatomoBulkAnswer(
    string Status, int Tracked, int Invalid,
    [property: JsonPropertyName("invalid_indices")] IReadOnlyList<int> InvalidIndices);

/// <summary>
/// Matomo's tracking API: one request as a query or a form, answered by an image, or many as JSON. Its clients read the
/// status alone, and some of them send a bulk again until it is 200. So faulty requests in a bulk are only named.
/// </summary>
internal static class MatomoEndpoints
{
    private const string Form = "application/x-www-form-urlencoded", Json = "application/json", Text = "text/plain";
    private const string Token = "token_auth";

    public static void MapMatomo(this IEndpointRouteBuilder routes)
    {
        foreach (var path in (ReadOnlySpan<string>)["/matomo.php", "/piwik.php"])
        {
            routes.MapGet(path, Get);
            routes.MapPost(path, Post);
        }
    }

    private static async Task<IResult> Get(HttpContext context, TrackerIntake intake) =>
        FormPairs.Parse(context.Request.QueryString, out var query) is { } malformed ? malformed
            : await RecordOne(query, context, intake);

    private static async Task<IResult> Post(HttpContext context, TrackerIntake intake)
    {
        var limits = intake.Limits;
        var (body, unread) = await intake.ReadBody(context.Request, limits.BatchBodyBytesMax, Form, Json, Text);
        if (body is null) return unread!;
        if (FormPairs.Parse(context.Request.QueryString, out var query) is { } malformed) return malformed;
        if (RequestBody.LooksLikeJson(body)) return await RecordBulk(body, query, context, intake);
        if (body.Length > limits.EventBodyBytesMax) return Refusal.BodyTooLarge(limits.EventBodyBytesMax);
        if (FormPairs.Parse(MatomoRequest.WithoutMark(body), out var form) is { } broken) return broken;
        foreach (var (name, value) in query) form.TryAdd(name, value);
        return await RecordOne(form, context, intake);
    }

    private static async Task<IResult> RecordOne(
        Dictionary<string, string> sent, HttpContext context, TrackerIntake intake)
    {
        PixelEndpoint.AllowAnyPage(context.Response);
        if (TrackerIntake.FindProduct(context, sent.GetValueOrDefault(Token) ?? KeyIn(sent), null, out var product)
            is { } closed) return closed;
        var (fields, invalid) = MatomoRequest.Parse(
            sent, product, TrackerIntake.MayWriteHistory(context), intake.Now);
        if (fields is null) return invalid!;
        var refused = await intake.Record(fields, context);
        return refused is null && sent.GetValueOrDefault("send_image") == "0" ? TypedResults.NoContent()
            : PixelEndpoint.ImageUnless(refused);
    }

    private static async Task<IResult> RecordBulk(
        byte[] body, Dictionary<string, string> query, HttpContext context, TrackerIntake intake)
    {
        if (TrackerJson.Parse(body, out var json) is { } malformed) return malformed;
        if (TrackerIntake.FindProduct(context, json.Text(Token) ?? query.GetValueOrDefault(Token) ?? KeyIn(query), null,
            out var product) is { } closed) return closed;
        var requests = json.Member("requests");
        if (requests.ValueKind != JsonValueKind.Array) return Refusal.MissingField("requests");
        var (isHistory, now) = (TrackerIntake.MayWriteHistory(context), intake.Now);
        var (receipt, refusal) = await intake.RecordAll([.. requests.EnumerateArray()],
            request => MatomoRequest.Parse(request, product, isHistory, now), context);
        if (refusal is { Status: not StatusCodes.Status400BadRequest }) return refusal;
        return new JsonAnswer<MatomoBulkAnswer>(
            new("success", receipt.Recorded, receipt.Refused.Count, [.. receipt.Refused.Select(one => one.Index)]),
            HttpJson.Default.MatomoBulkAnswer);
    }

    private static string? KeyIn(Dictionary<string, string> query) =>
        query.GetValueOrDefault(KeyAuthentication.QueryName);
}
