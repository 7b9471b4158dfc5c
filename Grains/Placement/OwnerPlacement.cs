using Orleans.Placement;
using Orleans.Runtime.Placement;

namespace Tally.Grains.Placement;

/// <summary>A grain is activated where <see cref="Ownership"/> says, and registered nowhere.</summary>
[Serializable]
public sealed class OwnerPlacement : PlacementStrategy
{
    /// <summary>The name under which Orleans finds a directory that has nothing in it.</summary>
    public const string Directory = "owner";

    public override bool IsUsingGrainDirectory => false;
}

/// <inheritdoc cref="OwnerPlacement"/>
[AttributeUsage(AttributeTargets.Class)]
public sealed class OwnerPlacementAttribute() : PlacementAttribute(new OwnerPlacement());

/// <summary>
/// For a message whose grain the address cache could not place, because no silo was known to be active then.
/// </summary>
public sealed class OwnerPlacementDirector(Ownership ownership) : IPlacementDirector
{
    public Task<SiloAddress> OnAddActivation(
        PlacementStrategy strategy, PlacementTarget target, IPlacementContext context) =>
        ownership.Owner(target.GrainIdentity) is { } owner ? Task.FromResult(owner)
            : throw new SiloUnavailableException("No silo is known to be active.");
}
