using System.Net;
using System.Net.Sockets;

namespace Tally.Silo.Webhooks;

/// <summary>
/// Says which addresses a webhook may reach: those of the public internet, and the networks that the operator allows.
/// </summary>
/// <param name="allowed">Networks that may be reached although they are not public.</param>
internal sealed class AddressGuard(IReadOnlyList<IPNetwork> allowed)
{
    // Not public by the registries of IANA for special-purpose addresses. Those of cloud metadata, 169.254.169.254 and
    // fd00:ec2::254, are link-local or not global.
    private static readonly IPNetwork[] Closed4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // this network
        IPNetwork.Parse("10.0.0.0/8"), // private
        IPNetwork.Parse("100.64.0.0/10"), // shared by carriers
        IPNetwork.Parse("127.0.0.0/8"), // loopback
        IPNetwork.Parse("169.254.0.0/16"), // link-local
        IPNetwork.Parse("172.16.0.0/12"), // private
        IPNetwork.Parse("192.0.0.0/24"), // protocol assignments
        IPNetwork.Parse("192.0.2.0/24"), // documentation
        IPNetwork.Parse("192.88.99.0/24"), // relays of 6to4
        IPNetwork.Parse("192.168.0.0/16"), // private
        IPNetwork.Parse("198.18.0.0/15"), // benchmarks
        IPNetwork.Parse("198.51.100.0/24"), // documentation
        IPNetwork.Parse("203.0.113.0/24"), // documentation
        IPNetwork.Parse("224.0.0.0/4"), // multicast
        IPNetwork.Parse("240.0.0.0/4"), // reserved, and broadcast
    ];

    // All that is global is in here, but not all of it is public.
    private static readonly IPNetwork Global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] Closed6 =
    [
        IPNetwork.Parse("2001::/23"), // protocol assignments: Teredo, benchmarks, hashes
        IPNetwork.Parse("2001:db8::/32"), // documentation
        IPNetwork.Parse("3fff::/20"), // documentation
    ];

    // These lead to an IPv4 address that they hold.
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");

    public bool Allows(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return Allows(address.MapToIPv4());
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0)
            address = new(address.GetAddressBytes());
        if (allowed.Any(network => network.Contains(address))) return true;
        if (address.AddressFamily == AddressFamily.InterNetwork)
            return !Closed4.Any(network => network.Contains(address));
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return false;
        if (Nat64.Contains(address)) return Allows(HeldBy(address, 12));
        if (SixToFour.Contains(address)) return Allows(HeldBy(address, 2));
        return Global6.Contains(address) && !Closed6.Any(network => network.Contains(address));
    }

    private static IPAddress HeldBy(IPAddress address, int at) => new(address.GetAddressBytes().AsSpan(at, 4));
}
