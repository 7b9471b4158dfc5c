using Tally.Contracts;
using Tally.Grains.EventLog;
using Tally.Silo.Http.Visits;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Totals;

/// <summary>Which products, actions and fingerprints have most of something.</summary>
internal static class TopEndpoint
{
    private const int LimitDefault = 10;

    public static void MapTop(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/api/top", Get)
            .TakesTurns()
            .TakesParameters("of", "by", "from", "to", "product", "limit")
            .WithName("GetTop")
            .WithSummary("The products, actions or fingerprints with most events or visitors")
            .WithDescription("of is products, actions or fingerprints; by is events, newFingerprints or, of products, uniques. from and to as for "
                + "totals, the start of a minute; of fingerprints and by uniques, of a UTC day. product counts one product's events alone.")
            .Produces<TopAnswer>()
            .ProducesRefusals(400, 401, 403, 422, 429, 503);

    private static async Task<IResult> Get(HttpRequest request, string? of, string? by, string? from, string? to, string? product,
        string? limit, SqlStorage totals, FreshVisits visits, Limits limits, TimeProvider clock)
    {
        if (of is not ("products" or "actions" or "fingerprints"))
            return of is null ? Refusal.MissingField("of") : Refusal.UnknownValue("of", "products, actions or fingerprints");
        if ((by ??= "events") is not ("events" or "uniques" or "newFingerprints")) return Refusal.UnknownValue("by", "events, uniques or newFingerprints");
        if (of == "fingerprints" && by != "events") return Refusal.UnknownValue("by", "events, as fingerprints are asked for");
        if (by == "uniques" && of != "products") return Refusal.UniquesOfProductsOnly();
        if (product is not null && EventFields.CheckText("product", product, limits.ProductBytesMax) is { } text) return text;
        if (!WholeNumber.TryRead(limit, 1, limits.TopMax, Math.Min(LimitDefault, limits.TopMax), out var size))
            return Refusal.OutOfRange("limit", 1, limits.TopMax);
        var inDays = of == "fingerprints" || by == "uniques";
        if (ReadRange(inDays, from, to, clock, out var range) is { } time) return time;
        if (inDays && range.Count(TotalsBucket.Day) > limits.UniquesDaysMax) return Refusal.TooManyDays(limits.UniquesDaysMax);
        var cancellation = request.HttpContext.RequestAborted;
        if (of == "fingerprints") return await visits.Fingerprints(range, product, (int)size, cancellation);
        if (by == "uniques" && !range.IsDay) return await visits.ProductsByUniques(range, product, (int)size, cancellation); // one day's are in the rollups

        var question = Question(range, of, by, product);
        try
        {
            var sums = await totals.ReadTotals(question, (int)size, cancellation);
            return new JsonAnswer<TopAnswer>(new(of, by, range.From, range.To, [.. sums.Select(sum => Entry(question, range, sum))]),
                HttpJson.Default.TopAnswer);
        }
        catch (EventLogUnavailableException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    private static Refusal? ReadRange(bool inDays, string? from, string? to, TimeProvider clock, out TimeRange range) => TimeRange.Read(
        from, to, inDays ? TotalsBucket.Day : TotalsBucket.All, TimeSpan.FromDays(inDays ? 1 : 30), clock.GetUtcNow().UtcDateTime, out range);

    private static TotalsQuestion Question(TimeRange range, string of, string by, string? product)
    {
        var question = range.In(TotalsBucket.All) with { ByProduct = of == "products", ByAction = of == "actions", Product = product };
        return question with
        {
            Order = by switch
            {
                "uniques" => TotalsOrder.DailyProductFingerprints,
                "newFingerprints" => question.IsOfProducts ? TotalsOrder.NewProductFingerprints : TotalsOrder.NewFingerprints,
                _ => TotalsOrder.Events,
            },
        };
    }

    private static TopEntry Entry(TotalsQuestion question, TimeRange range, TotalsSum sum) => new(sum.Product, sum.Action, sum.Counts.Events,
        question.IsOfProducts ? sum.Counts.NewProductFingerprints : sum.Counts.NewFingerprints,
        question.ByProduct && range.IsDay ? sum.Counts.DailyProductFingerprints : null);
}
