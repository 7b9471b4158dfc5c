using System.Reflection;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Silo.Http.Breakdowns;
using Tally.Silo.Http.Totals;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Funnels;

/// <summary>/api/funnels: funnels that are kept by name, so that they need no scan of the log.</summary>
internal static class KeptFunnelEndpoints
{
    private const int DaysDefault = 30;

    public static void MapKeptFunnels(this IEndpointRouteBuilder routes, Limits limits)
    {
        var group = routes.MapGroup("/api/funnels").AddEndpointFilter(new QueryLimiter(limits.PagesMax, limits));
        group.MapGet("", List)
            .WithName("GetFunnels")
            .WithSummary("List the funnels that are kept");
        group.MapPut("/{name}", Put)
            .WithName("PutFunnel")
            .WithSummary("Keep a funnel by name")
            .WithDescription("steps, product and within as for /api/funnel. Another funnel of this name is replaced. "
                + "The past is folded in the background; filled says whether all is.");
        group.MapDelete("/{name}", Delete)
            .WithName("DeleteFunnel")
            .WithSummary("Keep a funnel no longer")
            .WithDescription("Answers with what was removed. No event goes: it can be kept again.")
            .ProducesRefusals(404);
    }

    public static void MapKeptFunnelAnswer(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/funnels/{name}", Get)
            .WithName("GetKeptFunnel")
            .WithSummary("Count how far fingerprints got in a funnel that is kept")
            .WithDescription("Answers as /api/funnel does, but reads what is folded: the cost grows with the "
                + "fingerprints that did the first step, and not with events. Until the funnel is filled, it reads the "
                + "log.")
            .ProducesRefusals(404);

    internal static async Task<Results<JsonAnswer<FunnelsAnswer>, Refusal>> List(SqlStorage storage) =>
        new JsonAnswer<FunnelsAnswer>(new([.. (await storage.ReadFunnels()).Select(FunnelView.From)]),
            HttpJson.Default.FunnelsAnswer);

    internal static async Task<Results<JsonAnswer<FunnelView>, Refusal>> Put(
        FunnelPath path, string? steps, string? product, string? within, SqlStorage storage, Dimensions dimensions,
        Limits limits)
    {
        if (path.Refusal is { } badName) return badName;
        if (FunnelParameters.Parse(steps, product, within, dimensions, limits, out var funnel) is { } badFunnel)
            return badFunnel;
        if (await storage.PutFunnel(funnel with { Name = path.Name }, limits.FunnelsMax) is not { } kept)
            return Refusal.TooManyFunnels(limits.FunnelsMax);
        return new JsonAnswer<FunnelView>(FunnelView.From(kept), HttpJson.Default.FunnelView);
    }

    internal static async Task<Results<JsonAnswer<FunnelView>, Refusal>> Delete(FunnelPath path, SqlStorage storage)
    {
        if (path.Refusal is { } badName) return badName;
        if (await storage.DeleteFunnel(path.Name) is not { } removed) return Refusal.UnknownFunnel();
        return new JsonAnswer<FunnelView>(FunnelView.From(removed), HttpJson.Default.FunnelView);
    }

    internal static async Task<Results<JsonAnswer<FunnelAnswer>, Refusal>> Get(
        HttpContext context, FunnelPath path, string? from, string? to, SqlStorage storage, FreshFunnels funnels,
        Calendar calendar, Limits limits, TimeProvider clock)
    {
        if (path.Refusal is { } badName) return badName;
        var now = clock.GetUtcNow().UtcDateTime;
        if (TimeRange.ParseDays(from, to, DaysDefault, calendar, limits, now, out var range) is { } badRange)
            return badRange;
        var (first, end) = range.Days;
        var ended = context.RequestAborted;
        await funnels.Merge(ended);
        // on another thread, because SQLite's calls block
        if (await Task.Run(() => storage.AskFunnel(path.Name, first, end, limits.MedianTimesMax, ended), ended)
            is not var (funnel, sums)) return Refusal.UnknownFunnel();
        if (sums is null) return Refusal.TooManyTimes(limits.MedianTimesMax);
        return new JsonAnswer<FunnelAnswer>(FunnelAnswer.Create(funnel.Ask(range.From, range.To), range, sums),
            HttpJson.Default.FunnelAnswer);
    }
}

/// <summary>The funnel's name in a path.</summary>
internal sealed record FunnelPath(string Name)
{
    private const int CharactersMax = 64;

    public Refusal? Refusal => Name.Length is > 0 and <= CharactersMax
        && Name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_') ? null
        : Refusal.UnknownValue("name", $"1 to {CharactersMax} letters, digits, - or _");

    public static ValueTask<FunnelPath?> BindAsync(HttpContext context, ParameterInfo _) =>
        new(new FunnelPath((string)context.Request.RouteValues["name"]!));
}

/// <summary>All funnels that are kept, by name.</summary>
public sealed record FunnelsAnswer(IReadOnlyList<FunnelView> Funnels);

/// <param name="Name">Unique.</param>
/// <param name="Steps">In their order, as they were written.</param>
/// <param name="Product">Only events of this product; absent for all.</param>
/// <param name="Within">The longest time from a first step to the steps after it.</param>
/// <param name="Filled">Whether the past is folded, so that it answers without reading the log.</param>
public sealed record FunnelView(
    string Name, IReadOnlyList<string> Steps, string? Product, string Within, bool Filled)
{
    internal static FunnelView From(KeptFunnel funnel) => new(funnel.Name, [.. funnel.Steps.Select(step => step.Text)],
        funnel.Product, ShortDuration.Write(funnel.Within), funnel.IsFilled);
}
