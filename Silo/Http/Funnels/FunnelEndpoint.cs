using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Http.Funnels;

/// <summary>GET /api/funnel: how far fingerprints got through steps.</summary>
internal static class FunnelEndpoint
{
    private const int LimitDefault = 10;
    private const string WithinDefault = "7d";
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
        if (string.IsNullOrEmpty(steps)) return Refusal.MissingField("steps");
        if (FunnelSteps.Parse(steps, dimensions) is not { Count: > 1 } parsed || parsed.Count > limits.FunnelStepsMax)
            return Refusal.InvalidSteps(limits.FunnelStepsMax);
        if (parsed.Select(step => EventFields.CheckText("steps", step.Action, limits.ActionBytesMax))
            .FirstOrDefault(refusal => refusal is not null) is { } badAction) return badAction;
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (ParseWithin(within ??= WithinDefault, limits.FunnelWithinDaysMax) is not { } window)
            return Refusal.UnknownValue("within",
                $"a length of time such as 30m, 12h or 7d, of at most {limits.FunnelWithinDaysMax} days");
        string? by = null;
        if (breakdown is not null && dimensions.Find("breakdown", breakdown, out by) is { } unknown) return unknown;
        if (QueryValue.ParseLimit(limit, LimitDefault, limits.TopMax, out var size) is { } badLimit) return badLimit;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;

        var question = new FunnelQuestion(parsed, window, range.From, range.To) { Product = product, By = by };
        var ended = context.RequestAborted;
        try
        {
            // on another thread, because SQLite's calls block
            var sums = await Task.Run(() => log.ScanFunnel(question, size, limits.MedianTimesMax, ended), ended);
            if (sums is null) return Refusal.TooManyTimes(limits.MedianTimesMax);
            return new JsonAnswer<FunnelAnswer>(
                FunnelAnswer.Create(question, range, within, sums), HttpJson.Default.FunnelAnswer);
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    private static TimeSpan? ParseWithin(string text, int daysMax)
    {
        TimeSpan? unit = text.LastOrDefault() switch
        {
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => null,
        };
        return unit is { } one
            && int.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.None, CultureInfo.InvariantCulture,
                out var count)
            && count > 0 && count <= TimeSpan.FromDays(daysMax) / one ? count * one : null;
    }
}
