using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>GET /api/totals: everyone's events, by time.</summary>
internal static class TotalsEndpoint
{
    private static readonly Dictionary<string, (TotalsBucket Bucket, TimeSpan Usual)> Buckets = new()
    {
        ["minute"] = (TotalsBucket.Minute, TimeSpan.FromHours(1)),
        ["hour"] = (TotalsBucket.Hour, TimeSpan.FromHours(48)),
        ["day"] = (TotalsBucket.Day, TimeSpan.FromDays(30)),
        ["all"] = (TotalsBucket.All, TimeSpan.FromDays(30)),
    };

    public static void MapTotals(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/totals", Get)
            .WithName("GetTotals")
            .WithSummary("Count everyone's events by time")
            .WithDescription(
                "Every event acknowledged before this request is in it. from and to are RFC 3339 or a date; to is not "
                + "part of the range. Both must be the start of a bucket (minute, hour or day in UTC; for all, of a "
                + "minute). groupBy "
                + "is product, action or both; product and action count one alone. Days that are not grouped by "
                + "action have exact "
                + "uniqueFingerprints.");

    private static async Task<Results<JsonAnswer<TotalsAnswer>, Refusal>> Get(
        HttpContext context, string? from, string? to, string? bucket, string? groupBy, string? product, string? action,
        SqlStorage totals, Limits limits, TimeProvider clock)
    {
        if (!Buckets.TryGetValue(bucket ?? "day", out var kind))
            return Refusal.UnknownValue("bucket", "minute, hour, day or all");
        if (!TryParseGroups(groupBy, out var byProduct, out var byAction))
            return Refusal.UnknownValue("groupBy", "product, action or product,action");
        if ((QueryValue.CheckText("product", product, limits.ProductBytesMax)
            ?? QueryValue.CheckText("action", action, limits.ActionBytesMax)) is { } badText) return badText;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.Parse(from, to, kind.Bucket, kind.Usual, now, out var range) is { } badRange) return badRange;
        if (range.Count(kind.Bucket) > limits.PointsMax) return Refusal.TooManyPoints(limits.PointsMax);

        var question =
            range.In(kind.Bucket) with
            {
                ByProduct = byProduct,
                ByAction = byAction,
                Product = product,
                Action = action
            };
        try
        {
            var sums = await totals.ReadTotals(question, limits.PointsMax + 1, context.RequestAborted);
            return sums.Count <= limits.PointsMax && TotalsAnswer.Create(question, range, sums, limits) is { } answer
                ? new JsonAnswer<TotalsAnswer>(answer, HttpJson.Default.TotalsAnswer)
                : Refusal.TooManyPoints(limits.PointsMax);
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    private static bool TryParseGroups(string? text, out bool byProduct, out bool byAction)
    {
        string[] names = text?.Split(',') ?? [];
        (byProduct, byAction) = (names.Contains("product"), names.Contains("action"));
        return names.Length == (byProduct ? 1 : 0) + (byAction ? 1 : 0);
    }
}
