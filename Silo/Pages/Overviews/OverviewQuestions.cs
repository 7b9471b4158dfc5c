using System.Globalization;
using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Sessions;
using Tally.Silo.Http.Totals;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;
using static Tally.Silo.Pages.PageQuery;
using Calendar = Tally.Grains.Calendar;

namespace Tally.Silo.Pages.Overviews;

/// <summary>Asks what the API would be asked, so that the page and the API never differ.</summary>
internal sealed class OverviewQuestions(SqlStorage storage, FreshVisits visits, Dimensions dimensions,
    DimensionTotals dimensionTotals, Calendar calendar, Limits limits, TimeProvider clock)
{
    public const string Products = "products", Actions = "actions";

    /// <summary>Rows of a list among others.</summary>
    public const int RowsMax = 8;

    // Sessions are counted from the log.
    private const int SessionDaysMax = 31;

    /// <summary>Rows of a list by itself.</summary>
    public int ListMax => limits.TopMax;

    /// <summary>All lists that there can be.</summary>
    public IEnumerable<string> Lists => [Products, Actions, .. dimensions.Names];

    /// <summary>
    /// Everything at once. The sums by time must be answered; of all else, what is not is shown as such. What takes
    /// long is left for later.
    /// </summary>
    public async Task<Overview> Ask(HttpContext context, OverviewState state)
    {
        var days = await DaysOf(context, state);
        var interval = state.IntervalFor(days.Count);
        var totals = await Totals(context, state, days, interval == "hour" ? "hour" : "day");
        var sum = IsSumOfPoints(totals) ? Sum(totals.Points) : (await Totals(context, state, days, "all")).Points[0];

        using var rest = new TimeForParts(context, limits);
        var lists = new List<OverviewList>();
        foreach (var of in Lists)
            if ((of != Products || state.Product is null)
                && await List(context, state, of, days, RowsMax + 1, false) is { } list
                && (of is Products or Actions || list.Rows.Value is not { Count: 0 })) lists.Add(list);
        return new(totals, ChartPoints(totals, interval), interval, days.Count,
            new(sum.Events, sum.Compared?.Events),
            await Uniques(context, state, days, totals),
            sum.NewFingerprints is { } news ? new Shown<Figures>(new(news, sum.Compared?.NewFingerprints))
                : Missing.ByFilter,
            WhyNoSessions(state, days) ?? Missing.Later,
            await Present(context, state),
            await Annotations(context, state, totals), lists, sum.Events == 0 && !state.IsShared && await IsEmpty());
    }

    /// <summary>Sessions alone, which are counted from the log.</summary>
    public async Task<Shown<SessionFigures>> Sessions(HttpContext context, OverviewState state)
    {
        var days = await DaysOf(context, state);
        if (WhyNoSessions(state, days) is { } why) return why;
        using var rest = new TimeForParts(context, limits);
        return await Shown.Try<SessionFigures>(context, async () =>
        {
            async Task<SessionsAnswer> Ask(DateOnly from, DateOnly to) => (await SessionEndpoints.GetTotals(context,
                state.Product, TextOf(from), TextOf(to), "1", storage, calendar, limits, clock)).Shown();
            var now = await Ask(days.First, days.End);
            var earlier = Earlier(state, days);
            var then = earlier is null ? null : await Ask(calendar.DayOf(earlier.From), calendar.DayOf(earlier.To));
            return new(new(now.Sessions, then?.Sessions),
                now.BounceShare is { } share ? new(share, then?.BounceShare) : null);
        });
    }

    /// <summary>One list alone, however long it takes.</summary>
    public async Task<OverviewList> List(HttpContext context, OverviewState state, string of, int rowsMax)
    {
        var days = await DaysOf(context, state);
        using var rest = new TimeForParts(context, limits);
        return (await List(context, state, of, days, rowsMax, true))!;
    }

    // Null if there is nothing to show.
    private async Task<OverviewList?> List(
        HttpContext context, OverviewState state, string of, Days days, int rowsMax, bool isAlone)
    {
        var (from, to) = (TextOf(days.First), TextOf(days.End));
        var limit = rowsMax.ToString(CultureInfo.InvariantCulture);
        async Task<OverviewList> Answered(Func<Task<IReadOnlyList<OverviewRow>>> ask) =>
            new(of, await Shown.Try(context, ask));

        // Of one action, only totals are grouped.
        if (state.Action is not null && of is Products or Actions)
            return await Answered(async () =>
                [.. (await TotalsEndpoint.Get(context, from, to, "all", of == Products ? "product" : "action",
                    state.Product, state.Action, null, state.ComparedWith, storage, dimensionTotals, calendar, limits,
                    clock)).Shown().Points.Where(one => one.Events > 0).OrderByDescending(one => one.Events)
                    .Select(one => new OverviewRow(one.Product ?? one.Action, one.Events, one.Compared?.Events))
                    .Take(rowsMax)]);
        if (of == Actions && state.Filter is not null) return new(of, Missing.ByFilter);
        if (of is Products or Actions)
            return await Answered(async () =>
                [.. (await TopEndpoint.Get(context, of, null, from, to, state.Product, limit,
                    state.Filter, state.ComparedWith, storage, visits, dimensionTotals, calendar, limits, clock))
                    .Shown().Top
                    .Select(one => new OverviewRow(one.Product ?? one.Action, one.Events, one.Compared?.Events))]);

        if (state.Action is not null) return isAlone ? new(of, Missing.ByAction) : null;
        async Task<IReadOnlyList<OverviewRow>> Breakdown(string limit, string? filter)
        {
            var answer = (await BreakdownEndpoint.Get(context, of, state.Product, from, to, limit, filter,
                state.ComparedWith, visits, dimensions, calendar, limits, clock)).Shown();
            return
            [
                .. answer.Values.Select(one => new OverviewRow(one.Value, one.Events, one.Compared?.Events)),
                .. answer.Other is { } other
                    ? [new OverviewRow(null, other.Events, other.Compared?.Events)] : (OverviewRow[])[],
            ];
        }
        if (isAlone || state.Filter is null || state.FilterDimension == of)
            return await Answered(() => Breakdown(limit, state.Filter));
        // Two dimensions at once are counted from the log: later, if it has any values.
        var any = await Answered(() => Breakdown("1", null));
        return any.Rows.Value is { Count: > 0 } ? any with { Rows = Missing.Later } : any;
    }

    private async Task<Shown<Figures>> Uniques(
        HttpContext context, OverviewState state, Days days, TotalsAnswer totals)
    {
        if (state.Action is not null) return Missing.ByAction;
        if (state.Filter is not null) // known for one day of one product
            return state.Product is not null && totals.Points is [{ } one]
                ? new Shown<Figures>(new(one.UniqueFingerprints ?? 0,
                    one.Compared is { } then ? then.UniqueFingerprints ?? 0 : null)) : Missing.ByFilter;
        return await Shown.Try<Figures>(context, async () =>
        {
            async Task<long> Ask(DateOnly from, DateOnly to) => (await UniquesEndpoint.Get(
                context, TextOf(from), TextOf(to), null, state.Product, visits, calendar, limits, clock))
                .Shown().UniqueFingerprints;
            var now = await Ask(days.First, days.End);
            return new(now, totals.Compared is { } then
                ? await Ask(calendar.DayOf(then.From), calendar.DayOf(then.To)) : null);
        });
    }

    private Task<Shown<IReadOnlyList<Annotation>>> Annotations(
        HttpContext context, OverviewState state, TotalsAnswer totals) =>
        Shown.Try<IReadOnlyList<Annotation>>(context, async () => [.. (await AnnotationEndpoints.List(
            totals.From.ToString("O"), totals.To.ToString("O"), state.Product, storage, limits)).Shown().Annotations
            .Where(note => !state.IsShared || note.Product is not null)]); // not for others what is about all products

    private async Task<Shown<Figures>> Present(HttpContext context, OverviewState state)
    {
        if (state.Action is not null) return Missing.ByAction;
        if (state.Filter is not null) return Missing.ByFilter;
        return await Shown.Try<Figures>(context, async () => new(
            (await PresentEndpoint.Get(context, state.Product, visits, limits, clock)).Shown().Fingerprints, null));
    }

    private async Task<TotalsAnswer> Totals(HttpContext context, OverviewState state, Days days, string bucket) =>
        (await TotalsEndpoint.Get(context, TextOf(days.First), TextOf(days.End), bucket, null, state.Product,
            state.Action, state.Filter, state.ComparedWith, storage, dimensionTotals, calendar, limits, clock)).Shown();

    // An hour that comes twice has the same earlier hour beside both, and a day that a zone skipped has none.
    private bool IsSumOfPoints(TotalsAnswer totals) => totals.Compared is not { } then
        || totals.Bucket == "day" && totals.Points.Count == DaysIn(totals.From, totals.To)
            && totals.Points.Count == DaysIn(then.From, then.To);

    private int DaysIn(DateTime from, DateTime to) => calendar.DayOf(to).DayNumber - calendar.DayOf(from).DayNumber;

    private static TotalsPoint Sum(IReadOnlyList<TotalsPoint> points)
    {
        long? News(Func<TotalsPoint, long?> of) => points.Any(point => of(point) is null) ? null : points.Sum(of);
        return new(points[0].Time, null, null, points.Sum(point => point.Events),
            News(point => point.NewFingerprints), null)
        {
            Compared = points[0].Compared is null ? null
                : new(points.Sum(point => point.Compared!.Events), null)
                {
                    NewFingerprints = News(point => point.Compared!.NewFingerprints),
                },
        };
    }

    // Weeks and months are sums of their days in the range, whose first and last may be cut.
    private List<ChartPoint> ChartPoints(TotalsAnswer totals, string interval)
    {
        object KeyOf(TotalsPoint point) => (interval, calendar.DayOf(point.Time)) switch
        {
            ("week", var day) => day.AddDays(-(((int)day.DayOfWeek + 6) % 7)),
            ("month", var day) => day.AddDays(1 - day.Day),
            _ => point.Time,
        };
        var points = totals.Points.GroupBy(KeyOf).Select(some => some.ToList()).ToList();
        return
        [
            .. points.Select((some, i) => new ChartPoint(some[0].Time,
                i + 1 < points.Count ? points[i + 1][0].Time : totals.To, some.Sum(one => one.Events),
                interval == "day" ? some[0].UniqueFingerprints : null,
                some[0].Compared is null ? null : some.Sum(one => one.Compared!.Events))),
        ];
    }

    private static Missing? WhyNoSessions(OverviewState state, Days days) =>
        state.Action is not null ? Missing.ByAction : state.Filter is not null ? Missing.ByFilter
        : days.Count > SessionDaysMax ? Missing.TooManyDays : null;

    private TimeRange? Earlier(OverviewState state, Days days)
    {
        TimeRange range = new(calendar.StartOf(days.First), calendar.StartOf(days.End), calendar);
        return Comparison.Parse(state.ComparedWith, range, TotalsBucket.Day, out var earlier) is { } refusal
            ? throw new RefusedException(refusal) : earlier;
    }

    private async Task<Days> DaysOf(HttpContext context, OverviewState state)
    {
        var today = calendar.DayOf(clock.GetUtcNow().UtcDateTime);
        var begin = state.Range == OverviewState.All && await storage.ReadFirstHour(context.RequestAborted) is { } hour
            ? calendar.DayOf(hour) : today;
        var (first, end) = state.DaysAt(today, begin);
        return new(first, end);
    }


    // An empty service gets another page. One that does not answer is not empty.
    private async Task<bool> IsEmpty()
    {
        try
        {
            return (await storage.ReadCounts()).Count == 0;
        }
        catch (EventLogUnavailableException)
        {
            return false;
        }
    }

    private sealed record Days(DateOnly First, DateOnly End)
    {
        public int Count => End.DayNumber - First.DayNumber;
    }
}
