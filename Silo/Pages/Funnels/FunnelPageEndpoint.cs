using Microsoft.AspNetCore.WebUtilities;
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
/// <param name="Kept">The name of a kept funnel, whose steps these are; null for any other.</param>
public sealed record FunnelForm(IReadOnlyList<string> Steps, string? Product, string Within, DateOnly From, DateOnly To,
    string? By, string? Kept);

/// <summary>GET /funnels: how far fingerprints got, in steps of the form or in a funnel that is kept.</summary>
internal static class FunnelPageEndpoint
{
    private const string Path = "/funnels", Step = "step", Kept = "kept";
    private const int DaysUsual = 30;

    public static void MapFunnelPage(this IEndpointRouteBuilder routes)
    {
        routes.MapGet(Path, Get);
        routes.MapPost(Path + "/keep", Keep);
        routes.MapPost(Path + "/remove", Remove);
    }

    private static async Task<IResult> Get(HttpContext context, ProductNames names, SqlStorage storage,
        FreshFunnels fresh, Dimensions dimensions, Calendar calendar, Limits limits, TimeProvider clock)
    {
        var kept = (await KeptFunnelEndpoints.List(storage)).Shown().Funnels;
        var form = ParseForm(context.Request.Query, kept, calendar.DayOf(clock.GetUtcNow().UtcDateTime));
        var (from, to) = (PageQuery.TextOf(form.From), PageQuery.TextOf(form.To.AddDays(1)));
        var result = form switch
        {
            { Kept: { } name } => (await KeptFunnelEndpoints.Get(
                context, new(name), from, to, storage, fresh, calendar, limits, clock)).Result,
            { Steps.Count: > 1 } => (await FunnelEndpoint.Get(context, string.Join(',', form.Steps), form.Product,
                form.Within, from, to, form.By, null, storage, dimensions, calendar, limits, clock)).Result,
            _ => null,
        };
        var refusal = result as Refusal;
        if (refusal?.Status == StatusCodes.Status503ServiceUnavailable) throw new RefusedException(refusal);
        return await PagesEndpoints.Render<FunnelPage>(context, new()
        {
            [nameof(FunnelPage.Form)] = form,
            [nameof(FunnelPage.Kept)] = kept,
            [nameof(FunnelPage.Answer)] = (result as JsonAnswer<FunnelAnswer>)?.Value,
            [nameof(FunnelPage.Problem)] = refusal?.Detail,
            [nameof(FunnelPage.StepsMax)] = limits.FunnelStepsMax,
            [nameof(FunnelPage.Products)] = await names.Read(),
            [nameof(FunnelPage.Actions)] = await names.ReadActions(form.Product),
            [nameof(FunnelPage.Dimensions)] = dimensions.Names.ToList(),
        }, refusal?.Status ?? 200);
    }

    private static async Task<IResult> Keep(
        HttpContext context, SqlStorage storage, Dimensions dimensions, Limits limits)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        var name = form.One("name") ?? "";
        (await KeptFunnelEndpoints.Put(new(name), string.Join(',', form[Step].ToArray()), form.One("product"),
            form.One("within"), storage, dimensions, limits)).Shown();
        return PageForms.GoTo(context, AddressOf(name));
    }

    private static async Task<IResult> Remove(HttpContext context, SqlStorage storage)
    {
        if (await PageForms.Read(context.Request) is not { } form) return PageForms.Malformed();
        await KeptFunnelEndpoints.Delete(new(form.One("name") ?? ""), storage);
        return PageForms.GoTo(context, Path);
    }

    /// <summary>The address of a kept funnel.</summary>
    public static string AddressOf(string name) => QueryHelpers.AddQueryString(Path, Kept, name);

    // What cannot be read is as if it were not there.
    private static FunnelForm ParseForm(IQueryCollection query, IReadOnlyList<FunnelView> kept, DateOnly today)
    {
        var to = PageQuery.ParseDay(query.One("to")) is { } last && last < DateOnly.MaxValue ? last : today;
        var from = PageQuery.ParseDay(query.One("from")) is { } first && first <= to ? first
            : DateOnly.FromDayNumber(Math.Max(0, to.DayNumber + 1 - DaysUsual));
        return query.One(Kept) is { } name && kept.FirstOrDefault(one => one.Name == name) is { } funnel
            ? new(funnel.Steps, funnel.Product, funnel.Within, from, to, null, name)
            : new([.. query[Step].Where(step => !string.IsNullOrEmpty(step)).Select(step => step!)],
                query.One("product"), query.One("within") ?? "7d", from, to, query.One("by"), null);
    }
}
