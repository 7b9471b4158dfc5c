using System.Data.Common;
using Tally.Contracts;
using Tally.Grains;
using Tally.Grains.Peers;
using Tally.Grains.Placement;
using Tally.Silo.Storage;

namespace Tally.Silo.Http.Cluster;

/// <summary>Asks every silo for its figures.</summary>
internal sealed class ClusterView(IMembershipTable membership, PeerClient peers, Ownership ownership,
    FingerprintGrains grains, SqlStorage storage, Limits limits, TimeProvider clock)
{
    private static readonly TimeSpan DeadAge = TimeSpan.FromHours(1);
    private const int DeadMax = 20;

    /// <param name="fingerprint">Whose owner is asked for, or null.</param>
    /// <param name="cancellation">Gives up.</param>
    public async Task<ClusterAnswer> Look(string? fingerprint, CancellationToken cancellation)
    {
        var entries = (await membership.ReadAllAsync(cancellation)).Members.Select(one => one.Item1).ToList();
        var silos = await Task.WhenAll(Listed(entries, clock.GetUtcNow().UtcDateTime).Select(Describe));
        var database = await storage.ReadDatabase(cancellation);
        return new(silos, new(storage.Kind, database.Version, database.Bytes, database.Events),
            fingerprint is null ? null : OwnerOf(fingerprint, entries));
    }

    /// <summary>The silo that answers for a fingerprint; null where that is not known.</summary>
    public async Task<SiloName?> OwnerOf(string fingerprint, CancellationToken cancellation)
    {
        try
        {
            return OwnerOf(fingerprint, (await membership.ReadAllAsync(cancellation)).Members.Select(one => one.Item1));
        }
        catch (DbException)
        {
            return null;
        }
    }

    private SiloName? OwnerOf(string fingerprint, IEnumerable<MembershipEntry> entries)
    {
        var owner = ownership.Owner(grains.Id(fingerprint));
        return entries.Where(entry => entry.SiloAddress.Equals(owner)).Select(NameOf).FirstOrDefault();
    }

    private static IEnumerable<MembershipEntry> Listed(List<MembershipEntry> entries, DateTime now) =>
    [
        .. entries.Where(entry => entry.Status != SiloStatus.Dead).OrderBy(entry => entry.Status != SiloStatus.Active)
            .ThenBy(entry => entry.Status).ThenBy(entry => entry.SiloName, StringComparer.Ordinal)
            .ThenBy(entry => entry.SiloAddress),
        .. entries.Where(entry => entry.Status == SiloStatus.Dead && entry.IAmAliveTime > now - DeadAge)
            .OrderByDescending(entry => entry.IAmAliveTime).Take(DeadMax),
    ];

    private async Task<SiloAnswer> Describe(MembershipEntry entry)
    {
        var (name, address) = NameOf(entry);
        var isActive = entry.Status == SiloStatus.Active;
        var figures = isActive ? await TryLook(entry.SiloAddress) : null;
        return new(name, address, StateOf(entry.Status), Utc(entry.StartTime),
            entry.Status == SiloStatus.Dead ? Utc(entry.IAmAliveTime) : null, isActive ? figures is not null : null,
            figures);
    }

    private async Task<SiloFigures?> TryLook(SiloAddress silo)
    {
        try
        {
            return await peers.Peer(silo).Look().AsTask()
                .WaitAsync(TimeSpan.FromMilliseconds(limits.SiloAnswerMillisecondsMax));
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
