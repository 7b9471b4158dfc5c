using Tally.Grains;
using Tally.Grains.Peers;
using Tally.Grains.Placement;

namespace Tally.Silo.Hosting;

/// <summary>
/// Follows the membership from the silo's start to its end. When the silo stops, it hands over what it owns before it
/// tells the others that it leaves.
/// </summary>
internal sealed class OwnershipLifecycle(
    IClusterMembershipService membership, Ownership ownership, Peers peers, ISiloLiveness liveness)
        : ILifecycleParticipant<ISiloLifecycle>
{
    private readonly CancellationTokenSource stopping = new();
    private Task following = Task.CompletedTask;

    public void Participate(ISiloLifecycle lifecycle)
    {
        lifecycle.Subscribe(nameof(OwnershipLifecycle), ServiceLifecycleStage.RuntimeInitialize, Start, Stop);
        // The last stage stops first: Orleans changes this silo's status, and ends its grains, in those before.
        lifecycle.Subscribe(nameof(OwnershipLifecycle), ServiceLifecycleStage.Active, _ => Task.CompletedTask, Leave);
    }

    private Task Start(CancellationToken cancellation)
    {
        following = Task.Run(Follow, CancellationToken.None);
        return Task.CompletedTask;
    }

    private async Task Stop(CancellationToken cancellation)
    {
        await stopping.CancelAsync();
        await following;
    }

    private async Task Follow()
    {
        try
        {
            await foreach (var snapshot in membership.MembershipUpdates.WithCancellation(stopping.Token))
            {
                ownership.Follow(snapshot);
                peers.GiveUpGone();
            }
        }
        catch (OperationCanceledException) when (stopping.IsCancellationRequested)
        {
            // the silo has stopped
        }
    }

    private async Task Leave(CancellationToken hurry)
    {
        try
        {
            await ownership.Leave().WaitAsync(hurry);
        }
        catch (OperationCanceledException) when (hurry.IsCancellationRequested)
        {
            // what is not written is in the log
        }
        finally
        {
            liveness.Leave();
        }
    }
}
