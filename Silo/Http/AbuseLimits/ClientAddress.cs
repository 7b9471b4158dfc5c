using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.HttpOverrides;

namespace Tally.Silo.Http.AbuseLimits;

/// <summary>The client's address: the peer's, or the one that a trusted proxy names.</summary>
internal static class ClientAddress
{
    // A provider gives each customer a /64, so the rest of an IPv6 address is the client's choice.
    private const int Ipv6PrefixBytes = 8;

    /// <summary>Without trusted proxies X-Forwarded-For and X-Forwarded-Proto are never read.</summary>
    public static void AddTrustedProxies(this IServiceCollection services,
        IReadOnlyList<System.Net.IPNetwork> trusted) =>
        services.Configure<ForwardedHeadersOptions>(options =>
        {
            options.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            options.ForwardLimit = null; // no limit: from the right, until an address is not trusted
            options.KnownProxies.Clear();
            options.KnownIPNetworks.Clear();
            foreach (var network in trusted) options.KnownIPNetworks.Add(network);
        });

    /// <summary>The client's bucket. With more clients than buckets some share one; nobody can foresee which.</summary>
    public static int Bucket(HttpContext context, int buckets) =>
        context.Connection.RemoteIpAddress is { } address ? (int)((uint)HashOf(address) % (uint)buckets) : 0;

    private static int HashOf(IPAddress address)
    {
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out var length);
        if (address.IsIPv4MappedToIPv6) bytes = bytes[12..length];
        else bytes = bytes[..(address.AddressFamily == AddressFamily.InterNetworkV6 ? Ipv6PrefixBytes : length)];
        var hash = new HashCode(); // seeded by process
        hash.AddBytes(bytes);
        return hash.ToHashCode();
    }
}
