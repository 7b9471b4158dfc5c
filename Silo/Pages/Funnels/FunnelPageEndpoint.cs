using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Funnels;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Funnels;

/// <summary>What a funnel's form asks for.</summary>
/// <param name="Steps">Those that are named.</param>
/// <param name="To">The last day.</param>
public sealed record FunnelForm(
    IReadOnlyList<string> Steps, string? Product, string Within, DateOnly From, DateOnly To, string? By);

/// <summary>GET /funnels: how far fingerprints got.</summary>
internal static class FunnelPageEndpoint
{
    private const int DaysUsual = 30;

    public static void MapFunnelPage(this IEndpointRouteBuilder routes) => routes.MapGet("/funnels", Get);

    private static async Task<IResult> Get(HttpContext context, ProductNames names, SqlStorage storage,
        Dimensions dimensions, Calendar calendar, Limits limits, TimeProvider clock)
    {
        var form = Read(context.Request.Query, calendar.DayOf(clock.GetUtcNow().UtcDateTime));
        FunnelAnswer? answer = null;
        Refusal? refusal = null;
        if (form.Steps.Count > 1)
        {
            var result = (await FunnelEndpoint.Get(context, string.Join(',', form.Steps), form.Product, form.Within,
                Text(form.From), Text(form.To.AddDays(1)), form.By, null, storage, dimensions, calendar, limits,
                clock)).Result;
            answer = (result as JsonAnswer<FunnelAnswer>)?.Value;
            refusal = result as Refusal;
            if (refusal?.Status == StatusCodes.Status503ServiceUnavailable) throw new RefusedException(refusal);
        }
        return await PagesEndpoints.Render<FunnelPage>(context, new()
        {
            [nameof(FunnelPage.Form)] = form,
            [nameof(FunnelPage.Answer)] = answer,
            [nameof(FunnelPage.Problem)] = refusal?.Detail,
            [nameof(FunnelPage.StepsMax)] = limits.FunnelStepsMax,
            [nameof(FunnelPage.Products)] = await names.Read(),
            [nameof(FunnelPage.Actions)] = await names.ReadActions(form.Product),
            [nameof(FunnelPage.Dimensions)] = dimensions.Names.ToList(),
        }, refusal?.Status ?? 200);
    }

    // What cannot be read is as if it were not there.
    private static FunnelForm Read(IQueryCollection query, DateOnly today)
    {
        var to = Day(query["to"]) is { } last && last < DateOnly.MaxValue ? last : today;
        var from = Day(query["from"]) is { } first && first <= to ? first
            : DateOnly.FromDayNumber(Math.Max(0, to.DayNumber + 1 - DaysUsual));
        return new([.. query["step"].Where(step => !string.IsNullOrEmpty(step)).Select(step => step!)],
            One(query["product"]), One(query["within"]) ?? "7d", from, to, One(query["by"]));
    }

    private static string? One(IReadOnlyList<string?> values) => values is [{ Length: > 0 } one] ? one : null;

    private static DateOnly? Day(IReadOnlyList<string?> values) => values is [{ } text]
        && DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
        ? day : null;

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
