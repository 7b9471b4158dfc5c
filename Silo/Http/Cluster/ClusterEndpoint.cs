using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains.EventLog;

namespace Tally.Silo.Http.Cluster;

/// <summary>GET /api/cluster: the silos, each as it sees itself, and the database.</summary>
internal static class ClusterEndpoint
{
    public static void MapCluster(this IEndpointRouteBuilder routes) => routes.MapGet("/api/cluster", Get)
        .WithName("GetCluster")
        .WithSummary("The silos that serve the database, and the database")
        .WithDescription("Each active silo tells its own figures; one that does not answer in time is listed without. "
            + "Dead ones are listed for an hour. With fingerprint, owner is the silo that answers for it.");

    public static async Task<Results<JsonAnswer<ClusterAnswer>, Refusal>> Get(
        HttpContext context, string? fingerprint, ClusterView cluster, Limits limits)
    {
        if (QueryValue.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax) is { } badFingerprint)
            return badFingerprint;
        try
        {
            return new JsonAnswer<ClusterAnswer>(await cluster.Look(fingerprint, context.RequestAborted),
                HttpJson.Default.ClusterAnswer);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or DbException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }
}
