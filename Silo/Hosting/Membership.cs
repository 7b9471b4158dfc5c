namespace Tally.Silo.Hosting;

internal static class Membership
{
    /// <summary>
    /// Whether the silo is active and knows of no other. One that is about to leave, or to come, may have grains.
    /// </summary>
    public static bool IsAlone(this ClusterMembershipSnapshot members, SiloAddress local) =>
        members.GetSiloStatus(local) == SiloStatus.Active
        && members.Members.Values.All(member =>
            member.Status == SiloStatus.Dead || member.SiloAddress.Equals(local));
}
