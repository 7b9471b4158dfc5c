using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Storage;

namespace Tally.Silo.Http;

/// <summary>GET /api/receipts/{id}: whether an event was counted.</summary>
internal static class ReceiptEndpoint
{
    private const int LimitDefault = 100;

    public static void MapReceipts(this IEndpointRouteBuilder routes, Limits limits) =>
        routes.MapGet("/api/receipts/{id}", Get)
            .AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits))
            .WithName("GetReceipts")
            .WithSummary("Find the events with an id")
            .WithDescription("An event that is acknowledged is found. An id names an event among its fingerprint's, so "
                + "several fingerprints may have it: they come in the order of their bytes, and fingerprint asks for "
                + "one alone.")
            .ProducesRefusals(404);

    // The id in the route is only a placeholder: see PathText.
    private static async Task<Results<JsonAnswer<ReceiptsAnswer>, Refusal>> Get(
        HttpContext context, string id, string? fingerprint, string? limit, SqlStorage log, Limits limits) =>
        PathText.Decode(PathText.RawTargetOf(context), PathText.Receipts) is { } asked
            ? await Find(asked, fingerprint, limit, log, limits, context.RequestAborted)
            : Refusal.InvalidPath("id");

    /// <param name="asked">The id as its client wrote it.</param>
    internal static async Task<Results<JsonAnswer<ReceiptsAnswer>, Refusal>> Find(string asked, string? fingerprint,
        string? limit, SqlStorage log, Limits limits, CancellationToken cancellation)
    {
        if (EventFields.CheckId("id", asked, limits.EventIdCharactersMax) is { } badId) return badId;
        if (QueryValue.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax) is { } badFingerprint)
            return badFingerprint;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.PageEventsMax, out var size) is { } badLimit)
            return badLimit;
        var found = await log.ReadById(EventIds.FromClient(asked), fingerprint, size, cancellation);
        if (found.Count == 0) return Refusal.UnknownId();
        return new JsonAnswer<ReceiptsAnswer>(new(asked, [.. found.Select(RecordedReceipt.From)]),
            HttpJson.Default.ReceiptsAnswer);
    }
}

/// <summary>The events with an id.</summary>
/// <param name="Id">As asked for.</param>
/// <param name="Receipts">By fingerprint, in the order of their bytes.</param>
public sealed record ReceiptsAnswer(string Id, IReadOnlyList<RecordedReceipt> Receipts);

/// <param name="Fingerprint">Whose event it is.</param>
/// <param name="Sequence">Its place in the fingerprint's history, from 1.</param>
/// <param name="Action">What was done.</param>
/// <param name="Product">To what.</param>
/// <param name="Created">UTC: when it was accepted.</param>
/// <param name="Occurred">UTC: the client's time if it gave one, else <paramref name="Created"/>.</param>
public sealed record RecordedReceipt(
    string Fingerprint, long Sequence, string Action, string Product, DateTime Created, DateTime Occurred)
{
    internal static RecordedReceipt From(RecordedEvent recorded) => new(recorded.Fingerprint, recorded.Sequence,
        recorded.Event.Action, recorded.Event.Product, recorded.Event.Created, recorded.Event.Occurred);
}
