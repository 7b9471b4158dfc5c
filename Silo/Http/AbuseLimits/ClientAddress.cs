using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.HttpOverrides;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>Whose request it is: the peer, or whom a trusted proxy names.</summary>
internal static class ClientAddress
{
    // One customer of a provider has so much of an IPv6 address to choose from.
    private const int Ipv6PrefixBytes = 8;

    /// <summary>Without trusted proxies X-Forwarded-For is never read.</summary>
    public static void AddTrustedProxies(this IServiceCollection services, IReadOnlyList<System.Net.IPNetwork> trusted) =>
        services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor;
            options.ForwardLimit = null; // from the right, until an address that is not trusted
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var network in trusted) options.KnownIPNetworks.Add(network);
        });

    /// <summary>Which of so many buckets the client has. More clients than buckets share some; which, nobody can foresee.</summary>
    public static int Bucket(HttpContext context, int buckets) =>
        context.Connection.RemoteIpAddress is { } address ? (int)((uint)HashOf(address) % (uint)buckets) : 0;

    private static int HashOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (address.IsIPv4MappedToIPv6) bytes = bytes[12..length];
        else bytes = bytes[..(address.AddressFamily == AddressFamily.InterNetworkV6 ? Ipv6PrefixBytes : length)];
        var hash = new HashCode(); // with a seed of this process's own
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }
}
