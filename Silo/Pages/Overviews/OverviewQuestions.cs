using System.Globalization;
using Tally.Contracts;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Overviews;

/// <summary>The answers that the overview shows.</summary>
/// <param name="Sum">Everything in the range.</param>
/// <param name="Uniques">Different fingerprints in it, and in the range that it is compared with.</param>
/// <param name="Points">By hour or day.</param>
/// <param name="Lists">What there was most of.</param>
/// <param name="IsEmpty">Whether nothing was ever recorded.</param>
public sealed record Overview(TotalsPoint Sum, (long Now, long Then) Uniques, TotalsAnswer Points,
    IReadOnlyList<OverviewList> Lists, bool IsEmpty);

/// <summary>The names with the most events.</summary>
/// <param name="Of">products, actions, or a dimension.</param>
public sealed record OverviewList(string Of, IReadOnlyList<OverviewRow> Rows);

/// <param name="Name">As clients wrote it.</param>
public sealed record OverviewRow(string Name, long Events, Compared? Compared);

/// <summary>Asks what the API would be asked, so that the page and the API never differ.</summary>
internal sealed class OverviewQuestions(SqlStorage storage, FreshVisits visits, Dimensions dimensions,
    DimensionTotals dimensionTotals, Calendar calendar, Limits limits, TimeProvider clock)
{
    private const string RowsMax = "8";

    /// <summary>Everything at once, or nothing.</summary>
    public async Task<Overview> Ask(HttpContext context, OverviewState state)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var today = calendar.DayOf(now);
        var (from, to) = (Text(today.AddDays(1 - state.Days)), Text(today.AddDays(1)));

        async Task<TotalsAnswer> Totals(string bucket) => (await TotalsEndpoint.Get(context, from, to, bucket,
            null, state.Product, null, null, "previous", storage, dimensionTotals, calendar, limits, clock)).Shown();
        async Task<long> Uniques(string first, string end) => (await UniquesEndpoint.Get(
            context, first, end, null, state.Product, visits, calendar, limits, clock)).Shown().UniqueFingerprints;
        async Task<OverviewList> Top(string of) => new(of,
            [.. (await TopEndpoint.Get(context, of, null, from, to, state.Product, RowsMax, null, "previous",
                storage, visits, dimensionTotals, calendar, limits, clock)).Shown().Top
                .Select(one => new OverviewRow(one.Product ?? one.Action!, one.Events, one.Compared))]);
        async Task<OverviewList> Breakdown(string by) => new(by,
            [.. (await BreakdownEndpoint.Get(context, by, state.Product, from, to, RowsMax, null, "previous",
                visits, dimensions, calendar, limits, clock)).Shown().Values
                .Select(one => new OverviewRow(one.Value!, one.Events, one.Compared))]);

        var sum = await Totals("all");
        var points = await Totals(state.IsToday ? "hour" : "day");
        var (all, then) = (sum.Points[0], sum.Compared!);
        var uniques = (await Uniques(from, to),
            await Uniques(Text(calendar.DayOf(then.From)), Text(calendar.DayOf(then.To))));

        var lists = new List<OverviewList>();
        if (state.Product is null) lists.Add(await Top("products"));
        lists.Add(await Top("actions"));
        foreach (var by in dimensions.Names)
            if (await Breakdown(by) is { Rows.Count: > 0 } list) lists.Add(list);
        return new(all, uniques, points, lists, all.Events == 0 && await IsEmpty());
    }

    private async Task<bool> IsEmpty() => (await storage.ReadCounts()).Count == 0;

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}
