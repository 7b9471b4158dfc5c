using System.Runtime.CompilerServices;

namespace Tally.Tests.Cluster.Breaks;

/// <summary>Hears late of a silo that leaves, as a process does that gets no processor for a while.</summary>
internal sealed class LateNews(IClusterMembershipService sound) : IClusterMembershipService
{
    private static readonly TimeSpan Delay = TimeSpan.FromMilliseconds(700);

    public ClusterMembershipSnapshot CurrentSnapshot => sound.CurrentSnapshot;

    public IAsyncEnumerable<ClusterMembershipSnapshot> MembershipUpdates => Late();

    public ValueTask Refresh(MembershipVersion minimumVersion, CancellationToken cancellationToken) =>
        sound.Refresh(minimumVersion, cancellationToken);

    public Task<bool> TryKill(SiloAddress siloAddress) => sound.TryKill(siloAddress);

    private async IAsyncEnumerable<ClusterMembershipSnapshot> Late(
        [EnumeratorCancellation] CancellationToken cancellation = default)
    {
        await foreach (var snapshot in sound.MembershipUpdates.WithCancellation(cancellation))
        {
            if (snapshot.Members.Values.Any(member => member.Status == SiloStatus.ShuttingDown))
                await Task.Delay(Delay, cancellation);
            yield return snapshot;
        }
    }
}
