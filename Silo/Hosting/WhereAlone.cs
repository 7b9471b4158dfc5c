using System.Diagnostics.CodeAnalysis;
using Microsoft.Extensions.Options;
using Orleans.Configuration;
using Orleans.Runtime.GrainDirectory;

namespace Tally.Silo.Hosting;

/// <summary>
/// In the place of Orleans' cache of its directory: while a silo knows of no other, whatever it looks for is in its own
/// memory or in none. So it asks the directory nothing, has nothing placed, and keeps no entry for its grains.
/// </summary>
/// <remarks>
/// It decides nothing. A grain that is in no memory is activated where its first message arrives and registers with the
/// directory, before it has read or written anything: should the grain have an activation elsewhere, on a silo of which
/// this one has yet to hear, the new one gives way and passes its messages on.
/// </remarks>
internal sealed class WhereAlone(
    IServiceProvider services, IClusterMembershipService membership, ILocalSiloDetails local,
    IOptions<GrainDirectoryOptions> options)
    : IGrainDirectoryCache
{
    private sealed record View(ClusterMembershipSnapshot Of, bool IsAlone);

    private readonly IGrainDirectoryCache known =
        GrainDirectoryCacheFactory.CreateGrainDirectoryCache(services, options.Value);
    private volatile View? view;

    public bool LookUp(GrainId key, [NotNullWhen(true)] out GrainAddress? result, out int version)
    {
        var now = Now();
        if (!now.IsAlone) return known.LookUp(key, out result, out version);
        result = new() { GrainId = key, SiloAddress = local.SiloAddress, MembershipVersion = now.Of.Version };
        version = (int)now.Of.Version.Value;
        return true;
    }

    public void AddOrUpdate(GrainAddress value, int version)
    {
        if (!Now().IsAlone) known.AddOrUpdate(value, version);
    }

    public IEnumerable<(GrainAddress ActivationAddress, int Version)> KeyValues => known.KeyValues;

    public bool Remove(GrainId key) => known.Remove(key);

    public bool Remove(GrainAddress key) => known.Remove(key);

    public void Clear() => known.Clear();

    private View Now()
    {
        var snapshot = membership.CurrentSnapshot;
        return view is { } current && ReferenceEquals(current.Of, snapshot) ? current
            : view = new(snapshot, snapshot.IsAlone(local.SiloAddress));
    }
}
