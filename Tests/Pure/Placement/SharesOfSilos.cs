using System.Net;
using Tally.Contracts;
using Tally.Grains.Placement;

namespace Tally.Tests.Pure.Placement;

/// <summary>Where a fingerprint lives is computed: evenly, the same everywhere, and moved only if it must be.</summary>
public sealed class SharesOfSilos
{
    private const int Fingerprints = 100_000;
    private const int FirstPort = 11111;

    [Theory, InlineData(2), InlineData(3), InlineData(5), InlineData(16)]
    public void Shares_differ_by_less_than_a_tenth(int silos)
    {
        var hash = new RendezvousHash(Silos(silos));
        var shares = Points().CountBy(point => hash.Owner(point)!).Select(pair => pair.Value).ToList();
        Assert.Equal(silos, shares.Count);
        Assert.True(shares.Max() < shares.Min() * 1.1, string.Join(", ", shares));
    }

    [Fact]
    public void One_that_joins_takes_its_share_and_moves_nothing_else()
    {
        var (before, after) = (new RendezvousHash(Silos(4)), new RendezvousHash(Silos(5)));
        var moved = Points().Where(point => !before.Owner(point)!.Equals(after.Owner(point))).ToList();
        Assert.All(moved, point => Assert.Equal(Silos(5)[4], after.Owner(point)));
        Assert.InRange(moved.Count, Fingerprints * 0.18, Fingerprints * 0.22);
    }

    [Fact]
    public void The_order_in_which_silos_are_known_does_not_matter()
    {
        var (one, other) = (new RendezvousHash(Silos(5)), new RendezvousHash(Silos(5).Reverse()));
        Assert.All(Points().Take(1_000), point => Assert.Equal(one.Owner(point), other.Owner(point)));
    }

    // Silos of two versions of the program must agree, so this may never change.
    [Fact]
    public void Owners_are_what_they_always_were()
    {
        var hash = new RendezvousHash(Silos(3));
        Assert.Equal("2 1 1 2 1 2 3 1 3 3 2 2 3 2 3 3 1 3 3 2", string.Join(' ',
            Points().Take(20).Select(point => hash.Owner(point)!.Endpoint.Port - FirstPort + 1)));
    }

    [Fact]
    public void Where_no_silo_is_nobody_owns_anything() => Assert.Null(new RendezvousHash([]).Owner(1));

    private static SiloAddress[] Silos(int count) => [.. Enumerable.Range(0, count)
        .Select(i => SiloAddress.New(new IPEndPoint(IPAddress.Parse("10.0.0.1"), FirstPort + i), 500_000_000 + i))];

    private static IEnumerable<ulong> Points() => Enumerable.Range(0, Fingerprints)
        .Select(i => RendezvousHash.Point(GrainId.Create("fingerprint", FingerprintKey.For($"visitor-{i}"))));
}
