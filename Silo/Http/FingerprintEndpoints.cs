using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;
using Tally.Contracts;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>What a fingerprint has done: its counts, and its events page by page.</summary>
internal static class FingerprintEndpoints
{
    private const int PageEventsDefault = 100;

    public static void MapFingerprints(this IEndpointRouteBuilder routes)
    {
        // Resolved once: resolving them for each request would open a scope, and this is asked for as often as events
        // come.
        var frontEnd = routes.ServiceProvider.GetRequiredService<FrontEnd>();
        var limits = routes.ServiceProvider.GetRequiredService<Limits>();
        var group = routes.MapGroup("/api/fingerprints/{fingerprint}");
        group.MapGet("", (Delegate)(async (HttpContext context) =>
                await (await GetView(context, frontEnd, limits)).ExecuteAsync(context)))
            .WithName("GetFingerprint")
            .WithSummary("Count a fingerprint's events")
            .WithDescription("Every event acknowledged before this request is in it. The ETag is the sequence.")
            .Produces<FingerprintView>().Produces(304)
            .ProducesRefusals(404);
        group.MapGet("/events", GetEvents)
            .AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits))
            .WithName("GetFingerprintEvents")
            .WithSummary("Page through a fingerprint's events")
            .WithDescription("Oldest first. If the answer has a next, that is the after of the next page. "
                + "A page of large events ends before its limit.")
            .ProducesRefusals(404);
    }

    private static async ValueTask<IResult> GetView(HttpContext context, FrontEnd frontEnd, Limits limits)
    {
        var result = (await View(FingerprintPath.Parse(context, limits), frontEnd)).Result;
        if (result is not JsonAnswer<FingerprintView> answer) return result;
        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{answer.Value.Sequence}\"");
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "no-cache"; // may be kept, but must be revalidated
        return context.Request.Headers.IfNoneMatch.Count > 0 && Matches(context.Request, new(tag))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified) : answer;
    }

    /// <summary>What is committed of it.</summary>
    internal static async ValueTask<Results<JsonAnswer<FingerprintView>, Refusal>> View(
        FingerprintPath path, FrontEnd frontEnd)
    {
        if (path.Refusal is not null) return path.Refusal;
        var result = await frontEnd.View(path.Fingerprint!);
        if (result.Outcome == ViewOutcome.Unknown) return Refusal.UnknownFingerprint();
        return result.View is { } view ? new JsonAnswer<FingerprintView>(view, HttpJson.Default.FingerprintView)
            : Refusal.QuestionNotAnswered();
    }

    private static bool Matches(HttpRequest request, EntityTagHeaderValue tag) => request.GetTypedHeaders().IfNoneMatch
        .Any(candidate =>
            candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false));

    internal static async Task<Results<JsonAnswer<EventsPage>, Refusal>> GetEvents(
        HttpContext context, FingerprintPath path, string? after, string? limit, SqlStorage log, Limits limits)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (QueryValue.ParseNumber("after", after, 0, long.MaxValue, 0, out var sequence) is { } badAfter)
            return badAfter;
        if (QueryValue.ParseLimit(limit, PageEventsDefault, limits.PageEventsMax, out var size) is { } badLimit)
            return badLimit;
        var fingerprint = path.Fingerprint!;
        var events = await log.ReadAfter(fingerprint, sequence, size, limits.PageBytesMax, context.RequestAborted);
        if (events.Count == 0 && (await log.ReadHeads([fingerprint])).Count == 0)
            return Refusal.UnknownFingerprint();
        var page = EventsPage.Create(fingerprint, events, size, limits.PageBytesMax);
        return new JsonAnswer<EventsPage>(page, HttpJson.Default.EventsPage);
    }
}
