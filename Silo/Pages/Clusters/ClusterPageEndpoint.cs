using Tally.Contracts;
using Tally.Silo.Http.Cluster;

namespace Tally.Silo.Pages.Clusters;

/// <summary>GET /cluster: the silos and the database.</summary>
internal static class ClusterPageEndpoint
{
    public static void MapClusterPage(this IEndpointRouteBuilder routes) => routes.MapGet("/cluster", Get);

    private static async Task<IResult> Get(HttpContext context, ClusterView cluster, Limits limits) =>
        await PagesEndpoints.Render<ClusterPage>(context, new()
        {
            [nameof(ClusterPage.Cluster)] = (await ClusterEndpoint.Get(context, null, cluster, limits)).Shown(),
        });
}
