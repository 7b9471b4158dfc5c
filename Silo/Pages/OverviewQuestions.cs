using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages;

/// <summary>The answers that the overview shows.</summary>
/// <param name="Sum">Everything in the range.</param>
/// <param name="Uniques">Different fingerprints in it, and in the range that it is compared with.</param>
/// <param name="Points">By hour or day.</param>
/// <param name="Lists">What there was most of.</param>
/// <param name="At">UTC: when it was asked.</param>
/// <param name="IsEmpty">Whether nothing was ever recorded.</param>
public sealed record Overview(TotalsPoint? Sum, (long Now, long Then) Uniques, TotalsAnswer? Points,
    IReadOnlyList<OverviewList> Lists, DateTime At, bool IsEmpty)
{
    public static Overview NotAnswered { get; } = new(null, default, null, [], default, false);

    /// <summary>Whether the database did not answer.</summary>
    public bool Failed => Sum is null || Points is null;
}

/// <summary>The names with the most events.</summary>
public sealed record OverviewList(string Title, IReadOnlyList<OverviewRow> Rows)
{
    /// <summary>Whether a row is a product, to look at alone.</summary>
    public bool OfProducts { get; init; }
}

/// <param name="Name">As clients wrote it.</param>
public sealed record OverviewRow(string Name, long Events, Compared? Compared);

/// <summary>Asks what the API would be asked, so that the page and the API never differ.</summary>
internal sealed class OverviewQuestions(SqlStorage storage, FreshVisits visits, Dimensions dimensions,
    DimensionTotals dimensionTotals, Calendar calendar, Limits limits, TimeProvider clock)
{
    private const string RowsMax = "8";

    private static readonly Dictionary<string, string> Titles = new()
    {
        ["path"] = "Pages", ["referrer"] = "Referrers", ["utm_source"] = "Campaign sources",
        ["utm_medium"] = "Campaign media", ["utm_campaign"] = "Campaigns", ["title"] = "Page titles",
        ["language"] = "Languages", ["screen"] = "Screens", ["browser"] = "Browsers", ["os"] = "Operating systems",
        ["device"] = "Devices", ["country"] = "Countries", ["channel"] = "Channels",
    };

    /// <summary>All answers, or none.</summary>
    public async Task<Overview> Ask(HttpContext context, OverviewState state)
    {
        try
        {
            return await AskAll(context, state);
        }
        catch (EventLogUnavailableException)
        {
            return Overview.NotAnswered;
        }
    }

    private async Task<Overview> AskAll(HttpContext context, OverviewState state)
    {
        var now = clock.GetUtcNow().UtcDateTime;
        var today = calendar.DayOf(now);
        var (from, to) = (Text(today.AddDays(1 - state.Days)), Text(today.AddDays(1)));

        async Task<TotalsAnswer> Totals(string bucket) => Value(await TotalsEndpoint.Get(context, from, to, bucket,
            null, state.Product, null, null, "previous", storage, dimensionTotals, calendar, limits, clock));
        async Task<long> Uniques(string first, string end) => Value(await UniquesEndpoint.Get(
            context, first, end, null, state.Product, visits, calendar, limits, clock)).UniqueFingerprints;
        async Task<OverviewList> Top(string title, string of) => new(title,
            [.. Value(await TopEndpoint.Get(context, of, null, from, to, state.Product, RowsMax, null, "previous",
                storage, visits, dimensionTotals, calendar, limits, clock)).Top
                .Select(one => new OverviewRow(one.Product ?? one.Action!, one.Events, one.Compared))]);
        async Task<OverviewList> Breakdown(string by) => new(Titles.GetValueOrDefault(by, by),
            [.. Value(await BreakdownEndpoint.Get(context, by, state.Product, from, to, RowsMax, null, "previous",
                visits, dimensions, calendar, limits, clock)).Values
                .Select(one => new OverviewRow(one.Value!, one.Events, one.Compared))]);

        var sum = await Totals("all");
        var points = await Totals(state.IsToday ? "hour" : "day");
        var (all, then) = (sum.Points[0], sum.Compared!);
        var uniques = (await Uniques(from, to),
            await Uniques(Text(calendar.DayOf(then.From)), Text(calendar.DayOf(then.To))));

        var lists = new List<OverviewList>();
        if (state.Product is null) lists.Add(await Top("Products", "products") with { OfProducts = true });
        lists.Add(await Top("Actions", "actions"));
        foreach (var by in dimensions.Names)
            if (await Breakdown(by) is { Rows.Count: > 0 } list) lists.Add(list);
        return new(all, uniques, points, lists, now, all.Events == 0 && await IsEmpty());
    }

    private async Task<bool> IsEmpty() => (await storage.ReadCounts()).Count == 0;

    private static string Text(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);

    // Nothing is refused that could be asked otherwise: the page asks only for what there is.
    private static T Value<T>(Results<JsonAnswer<T>, Refusal> answer) where T : class =>
        answer.Result is JsonAnswer<T> { Value: var value } ? value
            : throw new EventLogUnavailableException(((Refusal)answer.Result).Reason);
}
