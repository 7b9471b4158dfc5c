using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Http;

/// <summary>GET /api/fingerprints/{fingerprint}/timeline: its history from the newest event back.</summary>
internal static class TimelineEndpoint
{
    private const int PageEventsDefault = 100;

    public static void MapTimeline(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/fingerprints/{fingerprint}/timeline", Get)
            .WithName("GetFingerprintTimeline")
            .WithSummary("Page through a fingerprint's events, newest first")
            .WithDescription("By the time at which they happened. to is RFC 3339 or a date: only events before it. If "
                + "the answer has a next, that is the after of the next page. A page of large events ends before its "
                + "limit.")
            .ProducesRefusals(404);

    internal static async Task<Results<JsonAnswer<EventsPage>, Refusal>> Get(HttpContext context, FingerprintPath path,
        string? to, string? after, string? limit, SqlStorage log, Calendar calendar, Limits limits)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (QueryValue.ParseTime("to", to, calendar, DateTime.MaxValue, out var end) is { } badTo) return badTo;
        if (QueryValue.ParseNumber("after", after, 1, long.MaxValue, 0, out var sequence) is { } badAfter)
            return badAfter;
        if (QueryValue.ParseLimit(limit, PageEventsDefault, limits.PageEventsMax, out var size) is { } badLimit)
            return badLimit;
        var (fingerprint, ended) = (path.Fingerprint!, context.RequestAborted);
        end = DateTime.SpecifyKind(end, DateTimeKind.Utc);
        var events = await Task.Run(() => log.ReadTimeline(fingerprint, end, sequence, size, limits.PageBytesMax,
            ended), ended); // SQLite's calls block
        if (events.Count == 0)
        {
            if ((await log.ReadHeads([fingerprint])).Count == 0) return Refusal.UnknownFingerprint();
            if (after is not null && await IsGone(sequence)) return Refusal.EventGone();
        }
        return new JsonAnswer<EventsPage>(EventsPage.Create(fingerprint, events, size, limits.PageBytesMax),
            HttpJson.Default.EventsPage);

        async Task<bool> IsGone(long one) =>
            await log.ReadAfter(fingerprint, one - 1, 1, cancellation: ended) is not [var next]
            || next.Sequence != one;
    }
}
