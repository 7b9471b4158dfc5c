using System.Diagnostics.CodeAnalysis;
using Orleans.GrainDirectory;
using Orleans.Runtime.GrainDirectory;
using Tally.Grains.Placement;

namespace Tally.Silo.Hosting;

/// <summary>
/// In the place of Orleans' cache of its directory: the address of a fingerprint is computed for each message, and
/// nothing is kept.
/// </summary>
internal sealed class OwnerAddresses(Ownership ownership) : IGrainDirectoryCache
{
    public bool LookUp(GrainId key, [NotNullWhen(true)] out GrainAddress? result, out int version)
    {
        result = ownership.Owner(key) is { } owner
            ? new() { GrainId = key, SiloAddress = owner, MembershipVersion = new(ownership.Version) } : null;
        version = 0;
        return result is not null;
    }

    public void AddOrUpdate(GrainAddress value, int version)
    {
    }

    public bool Remove(GrainId key) => false;

    public bool Remove(GrainAddress key) => false;

    public void Clear()
    {
    }

    public IEnumerable<(GrainAddress ActivationAddress, int Version)> KeyValues => [];
}

/// <summary>
/// The directory of fingerprints, in which nothing is ever registered: Orleans asks it if no silo owns any, and goes on
/// to place the grain.
/// </summary>
internal sealed class NoDirectory : IGrainDirectory
{
    public Task<GrainAddress?> Register(GrainAddress address) => Task.FromResult<GrainAddress?>(address);

    public Task Unregister(GrainAddress address) => Task.CompletedTask;

    public Task<GrainAddress?> Lookup(GrainId grainId) => Task.FromResult<GrainAddress?>(null);

    public Task UnregisterSilos(List<SiloAddress> siloAddresses) => Task.CompletedTask;
}
