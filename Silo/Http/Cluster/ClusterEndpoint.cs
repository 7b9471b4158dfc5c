using System.Data.Common;
using Microsoft.AspNetCore.Http.HttpResults;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.EventLog;
using Tally.Grains.Peers;
using Tally.Grains.Placement;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Cluster;

/// <summary>GET /api/cluster: the silos, each as it sees itself, and the database.</summary>
internal static class ClusterEndpoint
{
    // What a silo answers takes a millisecond. One that is paused is declared dead after some seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan DeadAge = TimeSpan.FromHours(1);
    private const int DeadMax = 20;

    public static void MapCluster(this IEndpointRouteBuilder routes) => routes.MapGet("/api/cluster", Get)
        .WithName("GetCluster")
        .WithSummary("The silos that serve the database, and the database")
        .WithDescription("Each active silo tells its own figures; one that does not answer in time is listed without. "
            + "Dead ones are listed for an hour. With fingerprint, owner is the silo that answers for it.");

    // public for the page
    public static async Task<Results<JsonAnswer<ClusterAnswer>, Refusal>> Get(HttpContext context, string? fingerprint,
        IMembershipTable membership, PeerClient peers, Ownership ownership, FingerprintGrains grains,
        SqlStorage storage, Limits limits, TimeProvider clock)
    {
        if (QueryValue.CheckText("fingerprint", fingerprint, limits.FingerprintBytesMax) is { } badFingerprint)
            return badFingerprint;
        try
        {
            var entries = (await membership.ReadAllAsync(context.RequestAborted)).Members.Select(one => one.Item1)
                .ToList();
            var silos = await Task.WhenAll(Listed(entries, clock.GetUtcNow().UtcDateTime).Select(entry =>
                Describe(entry, peers)));
            var database = await storage.ReadDatabase(context.RequestAborted);
            var owner = fingerprint is null ? null : ownership.Owner(grains.Id(fingerprint));
            return new JsonAnswer<ClusterAnswer>(
                new(silos, new(storage.Kind, database.Version, database.Bytes, database.Events),
                    entries.Where(entry => entry.SiloAddress.Equals(owner)).Select(NameOf).FirstOrDefault()),
                HttpJson.Default.ClusterAnswer);
        }
        catch (Exception exception) when (exception is EventLogUnavailableException or DbException)
        {
            return Refusal.QuestionNotAnswered();
        }
    }

    private static IEnumerable<MembershipEntry> Listed(List<MembershipEntry> entries, DateTime now) =>
    [
        .. entries.Where(entry => entry.Status != SiloStatus.Dead).OrderBy(entry => entry.Status != SiloStatus.Active)
            .ThenBy(entry => entry.Status).ThenBy(entry => entry.SiloName, StringComparer.Ordinal)
            .ThenBy(entry => entry.SiloAddress),
        .. entries.Where(entry => entry.Status == SiloStatus.Dead && entry.IAmAliveTime > now - DeadAge)
            .OrderByDescending(entry => entry.IAmAliveTime).Take(DeadMax),
    ];

    private static async Task<SiloAnswer> Describe(MembershipEntry entry, PeerClient peers)
    {
        var (name, address) = NameOf(entry);
        var isActive = entry.Status == SiloStatus.Active;
        var figures = isActive ? await TryLook(peers, entry.SiloAddress) : null;
        return new(name, address, StateOf(entry.Status), Utc(entry.StartTime),
            entry.Status == SiloStatus.Dead ? Utc(entry.IAmAliveTime) : null, isActive ? figures is not null : null,
            figures);
    }

    private static async Task<SiloFigures?> TryLook(PeerClient peers, SiloAddress silo)
    {
        try
        {
            return await peers.Peer(silo).Look().AsTask().WaitAsync(Patience);
        }
        catch (Exception) // it has died, is paused, or is of an older version: that is the answer
        {
            return null;
        }
    }

    private static SiloName NameOf(MembershipEntry entry) =>
        new(entry.SiloName, entry.SiloAddress.Endpoint.ToString());

    private static string StateOf(SiloStatus status) => status switch
    {
        SiloStatus.Active => "active",
        SiloStatus.ShuttingDown or SiloStatus.Stopping => "leaving",
        SiloStatus.Dead => "dead",
        _ => "joining",
    };

    private static DateTime Utc(DateTime time) => DateTime.SpecifyKind(time, DateTimeKind.Utc);
}
