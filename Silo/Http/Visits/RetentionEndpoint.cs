using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Visits;

/// <summary>Who came back.</summary>
/// <param name="TimeZone">In which days, weeks and months are.</param>
/// <param name="Period">day, week or month.</param>
/// <param name="Product">The only product that was counted; absent for all.</param>
/// <param name="Cohorts">One for each period, the earliest first.</param>
public sealed record RetentionAnswer(
    string TimeZone, string Period, string? Product, IReadOnlyList<RetentionCohort> Cohorts);

/// <summary>The fingerprints that were first seen in a period.</summary>
/// <param name="From">UTC: the start of the period.</param>
/// <param name="Fingerprints">Their number.</param>
/// <param name="Returned">How many of them came in each later period, until the current one.</param>
public sealed record RetentionCohort(DateTime From, long Fingerprints, IReadOnlyList<long> Returned);

/// <summary>GET /api/retention: of those first seen in a period, how many came in each later one.</summary>
internal static class RetentionEndpoint
{
    private const int CohortsDefault = 12;

    public static void MapRetention(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/retention", Get)
            .WithName("GetRetention")
            .WithSummary("Count who came back, exactly")
            .WithDescription(
                "Of the fingerprints first seen in each day, week (from Monday) or month, how many came in each later "
                + "one. cohorts is the number of periods until the current one, which is not over yet: 12 without it, "
                + "at most 366 days. With product, it is about that product's events alone. Every event acknowledged "
                + "before this request is in it. It reads all visits, and so costs more the more there are.");

    internal static async Task<Results<JsonAnswer<RetentionAnswer>, Refusal>> Get(
        HttpContext context, string? product, string? period, string? cohorts, FreshVisits visits,
        Calendar calendar, Limits limits, TimeProvider clock)
    {
        if ((period ??= "week") is not ("day" or "week" or "month"))
            return Refusal.UnknownValue("period", "day, week or month");
        if (QueryValue.CheckText("product", product, limits.ProductBytesMax) is { } badProduct) return badProduct;
        if (QueryValue.ParseNumber("cohorts", cohorts, 1, limits.UniquesDaysMax, CohortsDefault, out var count)
            is { } badCount) return badCount;
        var today = calendar.DayOf(clock.GetUtcNow().UtcDateTime);
        var starts = Starts(period, (int)count, today);
        if (today.DayNumber - starts[0].DayNumber >= limits.UniquesDaysMax)
            return Refusal.TooManyDays(limits.UniquesDaysMax) with { Field = "cohorts" };

        var days = starts.Zip([.. starts.Skip(1), today.AddDays(1)])
            .SelectMany((of, number) => Enumerable.Range(0, of.Second.DayNumber - of.First.DayNumber)
                .Select(day => (of.First.AddDays(day), number))).ToList();
        return await visits.Query((storage, ended) => storage.ReadRetention(days, product, ended),
            returned => new JsonAnswer<RetentionAnswer>(
                new(calendar.Name, period, product, ToCohorts(starts, calendar, returned)),
                HttpJson.Default.RetentionAnswer),
            context.RequestAborted);
    }

    // The first days of the periods, the current one last.
    private static List<DateOnly> Starts(string period, int count, DateOnly today)
    {
        var bucket = Enum.Parse<TotalsBucket>(period, ignoreCase: true);
        var current = TimeRange.FirstDay(today, bucket);
        return [.. Enumerable.Range(0, count).Reverse().Select(ago => TimeRange.Add(current, -ago, bucket))];
    }

    private static List<RetentionCohort> ToCohorts(
        List<DateOnly> starts, Calendar calendar, IReadOnlyList<Returned> returned)
    {
        var known = returned.ToDictionary(one => (one.Cohort, one.Period), one => one.Fingerprints);
        return [.. starts.Select((start, cohort) => new RetentionCohort(
            calendar.StartOf(start), known.GetValueOrDefault((cohort, cohort)),
            [.. Enumerable.Range(cohort + 1, starts.Count - cohort - 1)
                .Select(period => known.GetValueOrDefault((cohort, period)))]))];
    }
}
