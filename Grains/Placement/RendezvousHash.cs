using System.IO.Hashing;
using System.Text;

namespace Tally.Grains.Placement;

/// <summary>
/// Shares grains out among silos, the same on every silo and in every version of the program: each silo has a score
/// for each grain, and the highest one owns it. A silo that comes or goes moves its own share alone, and the shares are
/// as even as the hash. Finding an owner costs a few nanoseconds a silo.
/// </summary>
public sealed class RendezvousHash
{
    private readonly (SiloAddress Silo, ulong Seed)[] silos;

    public RendezvousHash(IEnumerable<SiloAddress> silos) => this.silos = [.. silos.Order().Select(silo =>
        (silo, XxHash64.HashToUInt64(Encoding.UTF8.GetBytes(silo.ToParsableString()))))];

    /// <summary>Where a grain lies among all.</summary>
    public static ulong Point(GrainId grain) => XxHash64.HashToUInt64(grain.Key.AsSpan());

    /// <summary>Null where there is no silo.</summary>
    public SiloAddress? Owner(ulong point)
    {
        SiloAddress? owner = null;
        ulong highest = 0;
        foreach (var (silo, seed) in silos)
        {
            var score = Mix(point ^ seed);
            if (owner is not null && score <= highest) continue;
            (owner, highest) = (silo, score);
        }
        return owner;
    }

    // The finalizer of MurmurHash3: each bit of the input changes half of the output's.
    private static ulong Mix(ulong value)
    {
        value = (value ^ (value >> 33)) * 0xff51afd7ed558ccd;
        value = (value ^ (value >> 33)) * 0xc4ceb9fe1a85ec53;
        return value ^ (value >> 33);
    }
}
