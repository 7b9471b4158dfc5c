namespace Tally.Grains.Placement;

/// <summary>
/// How the fingerprints are shared out among the active silos, seen from one of them; and for how long one that it has
/// gained may still be answered for by another.
/// </summary>
internal sealed class Division
{
    private readonly SiloAddress local;
    private readonly HashSet<SiloAddress> active;
    private readonly RendezvousHash owners;
    private readonly RendezvousHash sinceLast;
    private readonly HashSet<SiloAddress> answering;
    private readonly RendezvousHash ownersAnswering;
    private readonly long settledAt;

    private Division(SiloAddress local, HashSet<SiloAddress> active, HashSet<SiloAddress> sinceLast,
        HashSet<SiloAddress> answering, long settledAt)
    {
        (this.local, this.active, this.answering, this.settledAt) = (local, active, answering, settledAt);
        (owners, this.sinceLast, ownersAnswering) = (new(active), new(sinceLast), new(answering));
    }

    /// <summary>Before anything is known of the membership: nobody owns anything.</summary>
    public static Division Unknown(SiloAddress local) => new(local, [], [], [], long.MinValue);

    public SiloAddress? Owner(ulong point) => owners.Owner(point);

    public bool IsLocal(ulong point) => local.Equals(owners.Owner(point));

    /// <summary>Whether no other silo can have owned it since the division before this one.</summary>
    public bool Keeps(ulong point) => local.Equals(sinceLast.Owner(point));

    /// <summary>When nobody else answers for it any more, by the clock's timestamp.</summary>
    public long UncontestedAt(ulong point) => local.Equals(ownersAnswering.Owner(point)) ? long.MinValue : settledAt;

    /// <summary>
    /// What a newer version of the membership makes of it; the same object where nothing moves.
    /// </summary>
    /// <remarks>
    /// Versions in between may have been missed. But a silo's status only goes forward, so it is known who may have
    /// been active in one of them. And whoever has the highest score among all of these owned the fingerprint all the
    /// time.
    /// </remarks>
    /// <param name="from">The version that this is the division of.</param>
    /// <param name="to">The newer one.</param>
    /// <param name="now">When it was read, or later.</param>
    /// <param name="takeover">How long who owned a fingerprint in an older version may still answer for it.</param>
    public Division Next(ClusterMembershipSnapshot from, ClusterMembershipSnapshot to, long now, long takeover)
    {
        HashSet<SiloAddress> nowActive = [.. to.Members.Values.Where(member => member.Status == SiloStatus.Active)
            .Select(member => member.SiloAddress)];
        HashSet<SiloAddress> between = [.. active, .. nowActive, .. WentBy(from, to)];
        if (between.SetEquals(active) && nowActive.SetEquals(active)) return this;

        // A silo says that it leaves after it has answered for the last time (Ownership.Leave).
        HashSet<SiloAddress> others = [.. between.Where(silo => !SaysThatItLeaves(to, silo))];
        var isContested = others.Any(silo => !silo.Equals(local));
        if (now < settledAt) others.UnionWith(answering.Where(silo => !SaysThatItLeaves(to, silo)));
        // One that was not active before has nothing from then, and everything that it owns it has gained.
        var isNew = !active.Contains(local);
        if (isNew || !nowActive.Contains(local)) between.Remove(local);
        if (isNew || (now < settledAt && !answering.Contains(local))) others.Remove(local);
        return new(local, nowActive, between, others, isContested ? now + takeover : settledAt);
    }

    // They left or died, and may have been active in a version in between.
    private static IEnumerable<SiloAddress> WentBy(ClusterMembershipSnapshot from, ClusterMembershipSnapshot to) =>
        to.Members.Values.Where(member => HasGone(member.Status)
            && !(from.Members.TryGetValue(member.SiloAddress, out var before) && HasGone(before.Status)))
            .Select(member => member.SiloAddress);

    private static bool HasGone(SiloStatus status) =>
        status is SiloStatus.ShuttingDown or SiloStatus.Stopping or SiloStatus.Dead;

    private static bool SaysThatItLeaves(ClusterMembershipSnapshot at, SiloAddress silo) =>
        at.Members.TryGetValue(silo, out var member)
        && member.Status is SiloStatus.ShuttingDown or SiloStatus.Stopping;
}
