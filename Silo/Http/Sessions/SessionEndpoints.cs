using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Sessions;

/// <summary>Sessions, of one fingerprint and of all.</summary>
internal static class SessionEndpoints
{
    private const int ListDefault = 100, PagesDefault = 10, DaysDefault = 7;

    public static void MapSessions(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/api/sessions", GetTotals)
            .WithName("GetSessions")
            .WithSummary("Count sessions: visits without a pause over 30 minutes")
            .WithDescription(
                "A session is of one fingerprint and one product, and belongs to the range in which it begins; its "
                + "events after to count too, up to a day. from and to as for breakdown; without them, the seven days "
                + "until today. limit is for each list of pages. Reads all events of the log: every event acknowledged "
                + "before this request is in it, but none that was pruned or erased.");
        routes.MapGet("/api/fingerprints/{fingerprint}/sessions", GetList)
            .WithName("GetFingerprintSessions")
            .WithSummary("List a fingerprint's sessions")
            .WithDescription(
                "Sessions that began in the range, newest first, each of one product. from and to are RFC 3339 or a "
                + "date; without them, all that the log has.")
            .ProducesRefusals(404);
    }

    internal static async Task<Results<JsonAnswer<SessionsAnswer>, Refusal>> GetTotals(
        HttpContext context, string? product, string? from, string? to, string? limit, SqlStorage log,
        Calendar calendar, Limits limits, TimeProvider clock)
    {
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseLimit(limit, PagesDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;

        var question = new SessionQuestion(range.From, range.To, product);
        var ended = context.RequestAborted;
        // on another thread, because SQLite's calls block
        var totals = await Task.Run(() => log.ScanSessions(question, size, limits.MedianTimesMax, ended), ended);
        if (totals is null) return Refusal.TooManyTimes(limits.MedianTimesMax);
        return new JsonAnswer<SessionsAnswer>(
            SessionsAnswer.Create(range, totals), HttpJson.Default.SessionsAnswer);
    }

    internal static async Task<Results<JsonAnswer<FingerprintSessions>, Refusal>> GetList(
        HttpContext context, FingerprintPath path, string? product, string? from, string? to, string? limit,
        SqlStorage log, Calendar calendar, Limits limits)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseTime("from", from, calendar, DateTime.MinValue, out var first) is { } badFrom)
            return badFrom;
        if (QueryValue.ParseTime("to", to, calendar, DateTime.MaxValue, out var end) is { } badTo) return badTo;
        if (first >= end) return Refusal.EmptyRange();
        if (QueryValue.ParseLimit(limit, ListDefault, limits.PageEventsMax, out var size) is { } badLimit)
            return badLimit;

        var question = new SessionQuestion(
            DateTime.SpecifyKind(first, DateTimeKind.Utc), DateTime.SpecifyKind(end, DateTimeKind.Utc), product);
        var (fingerprint, ended) = (path.Fingerprint!, context.RequestAborted);
        var sessions = await Task.Run(() => log.ReadSessions(fingerprint, question, size, ended), ended);
        if (sessions.Count == 0 && (await log.ReadHeads([fingerprint])).Count == 0)
            return Refusal.UnknownFingerprint();
        return new JsonAnswer<FingerprintSessions>(
            new(fingerprint, sessions), HttpJson.Default.FingerprintSessions);
    }
}
