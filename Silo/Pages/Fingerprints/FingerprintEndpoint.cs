using Tally.Silo.Http.Cluster;
using Tally.Silo.Settings;

namespace Tally.Silo.Pages.Fingerprints;

/// <summary>GET /fingerprint: what one fingerprint has done.</summary>
internal static class FingerprintEndpoint
{
    public static void MapFingerprintPage(this IEndpointRouteBuilder routes) =>
        routes.MapGet(FingerprintAddress.Path, Get);

    private static async Task<IResult> Get(
        HttpContext context, FingerprintQuestions questions, ClusterView cluster, VisitorSettings visitors,
        AccessKeys keys)
    {
        if (FingerprintAddress.Parse(context.Request.Query) is not { } address)
            return PageForms.GoTo(context, ListAddress.Path);
        try
        {
            return await PagesEndpoints.Render<FingerprintPage>(context, new()
            {
                [nameof(FingerprintPage.Address)] = address,
                [nameof(FingerprintPage.Answers)] = await questions.Ask(context, address),
                [nameof(FingerprintPage.Silo)] =
                    (await cluster.OwnerOf(address.Of, context.RequestAborted))?.Name,
                [nameof(FingerprintPage.IsOfOneDay)] = visitors.Fingerprints == FingerprintSource.Server,
                [nameof(FingerprintPage.NobodyErases)] = keys.NobodyErases,
            });
        }
        catch (RefusedException refused) when (refused.Refusal.Status == StatusCodes.Status404NotFound)
        {
            return await PagesEndpoints.Render<UnknownPage>(context,
                new() { [nameof(UnknownPage.Of)] = address.Of }, StatusCodes.Status404NotFound);
        }
    }
}
