using System.Net;
using Tally.Contracts;
using Tally.Grains.Placement;

namespace Tally.Tests.Harness;

/// <summary>Which silo a fingerprint lives on, as each silo computes it from the membership.</summary>
internal static class Whereabouts
{
    public static async Task<ILookup<SupervisedSilo, string>> Of(
        IEnumerable<string> fingerprints, IReadOnlyList<SupervisedSilo> silos, TestDatabase database)
    {
        var owners = new RendezvousHash(await Active(database));
        return fingerprints.Select(fingerprint => (Fingerprint: fingerprint,
                Silo: silos.FirstOrDefault(silo => silo.Silo.Equals(owners.Owner(Point(fingerprint))?.Endpoint))))
            .Where(one => one.Silo is not null).ToLookup(one => one.Silo!, one => one.Fingerprint);
    }

    public static Task<List<SiloAddress>> Active(TestDatabase database) => database.Query(
        $"select address, port, generation from memberships where status = {(int)SiloStatus.Active}",
        row => SiloAddress.New(new IPEndPoint(IPAddress.Parse(row.GetString(0)), row.GetInt32(1)), row.GetInt32(2)));

    public static ulong Point(string fingerprint) =>
        RendezvousHash.Point(GrainId.Create("fingerprint", FingerprintKey.For(fingerprint)));
}
