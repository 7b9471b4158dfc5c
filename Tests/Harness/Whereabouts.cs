using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Orleans.Configuration;
using Tally.Contracts;

namespace Tally.Tests.Harness;

/// <summary>Asks the cluster itself which silo a fingerprint lives on.</summary>
internal static class Whereabouts
{
    public static async Task<ILookup<SupervisedSilo, string>> Of(
        IReadOnlyCollection<string> fingerprints, IReadOnlyList<SupervisedSilo> silos)
    {
        var builder = Host.CreateEmptyApplicationBuilder(null);
        builder.UseOrleansClient(client => client
            .UseStaticClustering([.. silos.Where(silo => silo.IsWanted).Select(silo => silo.Gateway)])
            .Configure<ClusterOptions>(cluster => (cluster.ClusterId, cluster.ServiceId) = ("tally", "tally")));
        using var host = builder.Build();
        await host.StartAsync();
        var grains = host.Services.GetRequiredService<IGrainFactory>();
        var cluster = grains.GetGrain<IManagementGrain>(0);
        var found = await Task.WhenAll(fingerprints.Select(async fingerprint => (Fingerprint: fingerprint,
            At: await cluster.GetActivationAddress(
                grains.GetGrain<IFingerprintGrain>(FingerprintKey.Of(fingerprint))))));
        await host.StopAsync();
        return found.Select(one =>
            (one.Fingerprint, Silo: silos.FirstOrDefault(silo => silo.Silo.Equals(one.At?.Endpoint))))
            .Where(one => one.Silo is not null).ToLookup(one => one.Silo!, one => one.Fingerprint);
    }
}
