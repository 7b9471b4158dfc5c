using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Totals;

namespace Tally.Silo.Http.Visits;

/// <summary>When a fingerprint was active.</summary>
/// <param name="Fingerprint">The fingerprint.</param>
/// <param name="From">UTC: the start of the range.</param>
/// <param name="To">UTC: the end of the range, which is not part of it.</param>
/// <param name="TimeZone">In which days are.</param>
/// <param name="Days">Days with events, oldest first.</param>
public sealed record ActivityAnswer(
    string Fingerprint, DateTime From, DateTime To, string TimeZone, IReadOnlyList<DayView> Days);

/// <summary>GET /api/fingerprints/{fingerprint}/activity: its events by day.</summary>
internal static class ActivityEndpoint
{
    private const int DaysDefault = 365;

    public static void MapActivity(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/fingerprints/{fingerprint}/activity", Get)
            .WithName("GetFingerprintActivity")
            .WithSummary("Count a fingerprint's events by day")
            .WithDescription("Days without events are left out. from and to as for uniques; without them, the 365 days "
                + "up to today.")
            .ProducesRefusals(404);

    internal static async Task<Results<JsonAnswer<ActivityAnswer>, Refusal>> Get(HttpContext context,
        FingerprintPath path, string? from, string? to, FrontEnd frontEnd, FreshVisits visits, Calendar calendar,
        Limits limits, TimeProvider clock)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;
        // Visits are found by day and product. Which products it used, its counts say.
        var view = (await FingerprintEndpoints.View(path, frontEnd)).Result;
        if (view is not JsonAnswer<FingerprintView> { Value: var counted }) return (Refusal)view;
        var products = counted.Counts.Select(count => count.Product).Distinct().ToList();
        var (first, end) = range.Days;
        var days = Enumerable.Range(0, end.DayNumber - first.DayNumber).Select(first.AddDays).ToList();
        return await visits.Query(
            (storage, cancellation) => storage.ReadActivity(path.Fingerprint!, products, days, cancellation),
            active => new JsonAnswer<ActivityAnswer>(
                new(path.Fingerprint!, range.From, range.To, range.TimeZone, active), HttpJson.Default.ActivityAnswer),
            context.RequestAborted);
    }
}
