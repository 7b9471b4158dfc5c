using System.Collections.Immutable;

namespace Tally.Grains.Placement;

/// <summary>
/// Which silo owns a fingerprint, by the membership as far as this silo has followed it. Nothing is asked, and nothing
/// is registered: silos that know the same version agree. docs/reliability.md has the proof that this is enough.
/// </summary>
public sealed class Ownership(ILocalSiloDetails local, ResidentFingerprints residents, TimeProvider clock)
{
    /// <summary>
    /// From reading a new membership until this silo answers for what it has gained by it. A proof of ownership is
    /// worth less.
    /// </summary>
    public static readonly TimeSpan Takeover = TimeSpan.FromSeconds(1);

    private readonly Lock following = new();
    private readonly Lock gate = new(); // between loads that end and a division that begins
    private volatile Division division = Division.Unknown(local.SiloAddress);
    private volatile ClusterMembershipSnapshot followed =
        new(ImmutableDictionary<SiloAddress, ClusterMember>.Empty, MembershipVersion.MinValue);
    private volatile bool isLeaving;
    private readonly CancellationTokenSource left = new();

    /// <summary>Cancelled when this silo has answered for the last time.</summary>
    public CancellationToken Left => left.Token;

    /// <summary>
    /// The membership's version that this silo has followed: what it has lost by then, it does not answer for any more.
    /// </summary>
    public long Version => followed.Version.Value;

    /// <summary>Null where no silo is known to be active.</summary>
    public SiloAddress? Owner(GrainId fingerprint) => division.Owner(RendezvousHash.Point(fingerprint));

    /// <summary>Null where this silo owns it, or none is known to be active.</summary>
    public SiloAddress? RemoteOwner(GrainId fingerprint) =>
        Owner(fingerprint) is { } owner && !owner.Equals(local.SiloAddress) ? owner : null;

    public bool IsActive(SiloAddress silo) => followed.GetSiloStatus(silo) == SiloStatus.Active;

    /// <summary>Follows a newer version, and lets go of what it gives to others.</summary>
    public void Follow(ClusterMembershipSnapshot newer)
    {
        lock (following)
        {
            if (newer.Version <= followed.Version) return;
            var before = division;
            var next = before.Next(followed, newer, clock.GetTimestamp(),
                (long)(Takeover.TotalSeconds * clock.TimestampFrequency));
            if (next != before)
            {
                lock (gate) division = next;
                residents.Lose(next.Keeps, inVersion: followed.Version.Value + 1); // or in a later one
            }
            followed = newer;
        }
    }

    /// <summary>
    /// For a silo that leaves: nothing loads here any more, and what is here answers for the last time. Others may take
    /// it over at once when this has completed and no proof is given any more.
    /// </summary>
    public async Task Leave()
    {
        await residents.Save();
        lock (gate) isLeaving = true;
        await residents.Leave();
        await left.CancelAsync();
    }

    /// <summary>
    /// Waits until no other silo answers for a fingerprint any more, so that what is loaded then stays true.
    /// </summary>
    /// <returns>Null where it is another silo's.</returns>
    internal async ValueTask<Division?> Claim(ulong point)
    {
        while (true)
        {
            var now = division;
            if (!now.IsLocal(point) || isLeaving) return null;
            var (at, moment) = (now.UncontestedAt(point), clock.GetTimestamp());
            if (at <= moment) return now;
            // A timer leaves out what is less than a millisecond.
            await Task.Delay(clock.GetElapsedTime(moment, at) + TimeSpan.FromMilliseconds(1), clock);
        }
    }

    /// <summary>As <see cref="Claim"/>; null also where that would wait.</summary>
    internal Division? TryClaim(ulong point)
    {
        var now = division;
        return now.IsLocal(point) && !isLeaving && now.UncontestedAt(point) <= clock.GetTimestamp() ? now : null;
    }

    /// <summary>Lets callers find a fingerprint that has loaded.</summary>
    /// <param name="place">Its own.</param>
    /// <param name="here">What was loaded.</param>
    /// <param name="claimed">By <see cref="Claim"/>, before it was loaded.</param>
    /// <returns>False where it is not this silo's any more, or another has the place.</returns>
    internal bool TryOpen(Resident place, Fingerprint here, Division claimed)
    {
        lock (gate) return division == claimed && !isLeaving && residents.TryOpen(place, here);
    }
}
