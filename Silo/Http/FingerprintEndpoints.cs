using System.Globalization;
using Microsoft.Net.Http.Headers;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>What a fingerprint has done.</summary>
internal static class FingerprintEndpoints
{
    private const int PageEventsDefault = 100;

    public static void MapFingerprints(this IEndpointRouteBuilder routes)
    {
        // Once and not by each request, which would open a scope for it: this answer is asked for as often as events come.
        var frontEnd = routes.ServiceProvider.GetRequiredService<FrontEnd>();
        var limits = routes.ServiceProvider.GetRequiredService<Limits>();
        var group = routes.MapGroup("/api/fingerprints/{fingerprint}");
        group.MapGet("", (Delegate)(async (HttpContext context) => await (await View(context, frontEnd, limits)).ExecuteAsync(context)))
            .TakesParameters()
            .WithName("GetFingerprint")
            .WithSummary("Count a fingerprint's events")
            .WithDescription("Every event acknowledged before this request is in it. The ETag is the sequence.")
            .Produces<FingerprintView>().Produces(304)
            .ProducesRefusals(400, 401, 403, 404, 422, 503);
        group.MapGet("/events", Events)
            .TakesParameters("after", "limit")
            .TakesTurnsForPages()
            .WithName("GetFingerprintEvents")
            .WithSummary("Page through a fingerprint's events")
            .WithDescription("Oldest first. The answer's next, where there is one, is the after of the next page; a page of large events ends before its limit.")
            .Produces<EventsPage>()
            .ProducesRefusals(400, 401, 403, 404, 422, 503);
    }

    private static async ValueTask<IResult> View(HttpContext context, FrontEnd frontEnd, Limits limits)
    {
        var path = FingerprintPath.Read(context, limits);
        if (path.Refusal is not null) return path.Refusal;
        var result = await frontEnd.View(path.Fingerprint!);
        if (result.Outcome == ViewOutcome.Unknown) return Refusal.UnknownFingerprint();
        if (result.View is not { } view) return Refusal.QuestionNotAnswered();

        var tag = string.Create(CultureInfo.InvariantCulture, $"\"{view.Sequence}\"");
        context.Response.Headers.ETag = tag;
        context.Response.Headers.CacheControl = "no-cache"; // keep it, but ask whether it is still true
        return context.Request.Headers.IfNoneMatch.Count > 0 && IsKnown(context.Request, new(tag))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : new JsonAnswer<FingerprintView>(view, HttpJson.Default.FingerprintView);
    }

    private static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag) => request.GetTypedHeaders().IfNoneMatch
        .Any(candidate => candidate.Equals(EntityTagHeaderValue.Any) || candidate.Compare(tag, useStrongComparison: false));

    private static async Task<IResult> Events(
        HttpContext context, FingerprintPath path, string? after, string? limit, SqlStorage log, Limits limits)
    {
        if (path.Refusal is not null) return path.Refusal;
        if (!WholeNumber.TryRead(after, 0, long.MaxValue, 0, out var sequence)) return Refusal.OutOfRange("after", 0, long.MaxValue);
        if (!WholeNumber.TryRead(limit, 1, limits.PageEventsMax, Math.Min(PageEventsDefault, limits.PageEventsMax), out var size))
            return Refusal.OutOfRange("limit", 1, limits.PageEventsMax);
        try
        {
            var fingerprint = path.Fingerprint!;
            var events = await log.ReadAfter(fingerprint, sequence, (int)size, limits.PageBytesMax, context.RequestAborted);
            if (events.Count == 0 && (await log.ReadHeads([fingerprint])).Count == 0) return Refusal.UnknownFingerprint();
            return new JsonAnswer<EventsPage>(EventsPage.Of(fingerprint, events, (int)size, limits.PageBytesMax), HttpJson.Default.EventsPage);
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }
}
