using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>GET /api/funnel: how far fingerprints got through steps.</summary>
internal static class FunnelEndpoint
{
    private const int LimitDefault = 10;
    private const int DaysDefault = 30;

    public static void MapFunnel(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/funnel", Get)
            .WithName("GetFunnel")
            .WithSummary("Count how many fingerprints did one thing after another")
            .WithDescription(
                "steps are actions in their order, comma-separated, each perhaps with filters on properties, as in "
                + "view[path=/pricing],signup. Counts the different fingerprints that did each step after the one "
                + "before and within the time since the first (30m, 12h, 7d). from and to, as for breakdown, are when "
                + "the first step happened; later steps may follow after to. breakdown divides the fingerprints by "
                + "the value of a dimension in their earliest first step. Reads all events of the log: every event "
                + "acknowledged before this request is in it, but none that was pruned or erased.");

    internal static async Task<Results<JsonAnswer<FunnelAnswer>, Refusal>> Get(
        HttpContext context, string? steps, string? product, string? within, string? from, string? to,
        string? breakdown, string? limit, SqlStorage log, Dimensions dimensions, Calendar calendar,
        Limits limits, TimeProvider clock)
    {
        if (FunnelParameters.Parse(steps, product, within, dimensions, limits, out var funnel) is { } badFunnel)
            return badFunnel;
        string? by = null;
        if (breakdown is not null && dimensions.Find("breakdown", breakdown, out by) is { } unknown) return unknown;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;

        var question = funnel.Ask(range.From, range.To) with { By = by };
        var ended = context.RequestAborted;
        // on another thread, because SQLite's calls block
        var sums = await Task.Run(() => log.ScanFunnel(question, size, limits.MedianTimesMax, ended), ended);
        if (sums is null) return Refusal.TooManyTimes(limits.MedianTimesMax);
        return new JsonAnswer<FunnelAnswer>(
            FunnelAnswer.Create(question, range, sums), HttpJson.Default.FunnelAnswer);
    }
}
