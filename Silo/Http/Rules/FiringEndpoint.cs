using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.Rules;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Rules;

/// <summary>What a rule did.</summary>
/// <param name="Id">The same for ever: whoever gets it twice can tell.</param>
/// <param name="Rule">The rule's name.</param>
/// <param name="Version">The rule's version.</param>
/// <param name="Fingerprint">Absent for a silence, which is nobody's.</param>
/// <param name="Sequence">Of the event that made it fire, or that nothing followed; absent likewise.</param>
/// <param name="Occurred">UTC: when that event occurred; the minute of the last one before a silence.</param>
/// <param name="Fired">UTC: when this was recorded.</param>
/// <param name="State">recorded, pending, delivered or parked.</param>
/// <param name="NextAttempt">UTC: when a pending one is tried next.</param>
/// <param name="Ended">UTC: when it was delivered or parked.</param>
/// <param name="Status">The HTTP status of the last try.</param>
/// <param name="Problem">Why the last try failed.</param>
public sealed record FiringView(string Id, string Rule, int Version, string? Fingerprint, long? Sequence,
    DateTime Occurred, DateTime Fired, string State, int Attempts, DateTime? NextAttempt, DateTime? Ended,
    int? Status, string? Problem)
{
    internal static FiringView From(StoredFiring one)
    {
        var isNobodys = one.Fingerprint == Silence.Fingerprint;
        return new(FiringId.Create(one.Rule, one.Version, one.Fingerprint, one.Sequence), one.Rule, one.Version,
            isNobodys ? null : one.Fingerprint, isNobodys ? null : one.Sequence, one.Occurred, one.Fired, one.State,
            one.Attempts, one.NextAttempt, one.Ended, one.Status, one.Problem);
    }
}

/// <summary>A page of firings, the newest first.</summary>
/// <param name="Next">The <c>after</c> of the next page; absent if this page was not full.</param>
public sealed record FiringsPage(IReadOnlyList<FiringView> Firings, string? Next);

/// <summary>GET /api/firings: what rules did.</summary>
internal static class FiringEndpoint
{
    private const int PageFiringsDefault = 100;

    /// <summary>What a firing's state may be.</summary>
    public static readonly string[] States = ["recorded", "pending", "delivered", "parked"];

    public static void MapFirings(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/firings", List)
            .WithName("GetFirings")
            .WithSummary("Page through what rules did, newest first")
            .WithDescription("rule is a name, with all its versions. state is recorded (of a rule without a webhook), "
                + "pending, delivered or parked. If the answer has a next, that is the after of the next page.");

    internal static async Task<Results<JsonAnswer<FiringsPage>, Refusal>> List(
        HttpContext context, string? rule, string? fingerprint, string? state, string? limit, string? after,
        SqlStorage storage, Limits limits)
    {
        if (rule is not null && !RulePath.IsName(rule)) return Refusal.UnknownValue("rule", RulePath.Known);
        if (QueryValue.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax) is { } badFingerprint)
            return badFingerprint;
        if (state is not null && !States.Contains(state))
            return Refusal.UnknownValue("state", string.Join(", ", States[..^1]) + " or " + States[^1]);
        if (QueryValue.ParseLimit(limit, PageFiringsDefault, limits.PageEventsMax, out var size) is { } badLimit)
            return badLimit;
        var place = after is null ? FiringPlace.Beginning : FiringCursor.Decode(after, limits);
        if (place is null) return Refusal.InvalidFiringPlace();
        var ended = context.RequestAborted;
        var found = await Task.Run(() => storage.ReadFirings(place, rule, fingerprint, state, size, ended), ended);
        return new JsonAnswer<FiringsPage>(new([.. found.Select(FiringView.From)],
            found.Count < size ? null : FiringCursor.Encode(found[^1])), HttpJson.Default.FiringsPage);
    }
}
