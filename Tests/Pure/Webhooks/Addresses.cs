using System.Net;
using Tally.Silo.Webhooks;

namespace Tally.Tests.Pure.Webhooks;

/// <summary>Which addresses a webhook may reach.</summary>
public sealed class Addresses
{
    private static readonly AddressGuard Guard = new([]);

    [Theory]
    [InlineData("1.1.1.1")]
    [InlineData("9.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("126.255.255.255")]
    [InlineData("128.0.0.0")]
    [InlineData("169.253.255.255")]
    [InlineData("169.255.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.0.1.0")]
    [InlineData("192.167.255.255")]
    [InlineData("192.169.0.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2001:200::1")]
    [InlineData("2a00:1450:4001:80b::200e")]
    [InlineData("::ffff:1.1.1.1")] // mapped
    [InlineData("64:ff9b::1.1.1.1")] // NAT64
    [InlineData("2002:101:101::1")] // 6to4
    public void A_public_address_is_allowed(string address) => Assert.True(Guard.Allows(IPAddress.Parse(address)));

    [Theory]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.0")]
    [InlineData("10.255.255.255")]
    [InlineData("100.64.0.0")]
    [InlineData("100.127.255.255")]
    [InlineData("127.0.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("169.254.0.1")]
    [InlineData("169.254.169.254")] // metadata
    [InlineData("172.16.0.0")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")] // metadata, elsewhere
    [InlineData("192.0.2.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.0")]
    [InlineData("192.168.255.255")]
    [InlineData("198.18.0.0")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.7")]
    [InlineData("203.0.113.7")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.255")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("::")]
    [InlineData("::1")]
    [InlineData("::127.0.0.1")] // compatible, which no one uses
    [InlineData("100::1")]
    [InlineData("fc00::1")]
    [InlineData("fd00:ec2::254")] // metadata
    [InlineData("fdff:ffff::1")]
    [InlineData("fe80::1")]
    [InlineData("fe80::1%3")]
    [InlineData("febf::1")]
    [InlineData("fec0::1")]
    [InlineData("ff02::1")]
    [InlineData("2001::1")] // Teredo
    [InlineData("2001:2::1")]
    [InlineData("2001:db8::1")]
    [InlineData("3fff::1")]
    [InlineData("5f00::1")]
    [InlineData("::ffff:127.0.0.1")]
    [InlineData("::ffff:10.1.2.3")]
    [InlineData("::ffff:169.254.169.254")]
    [InlineData("::ffff:0:127.0.0.1")] // translated
    [InlineData("64:ff9b::127.0.0.1")]
    [InlineData("64:ff9b::169.254.169.254")]
    [InlineData("64:ff9b:1::1.1.1.1")]
    [InlineData("2002:7f00:1::1")]
    [InlineData("2002:a00:1::1")]
    [InlineData("2002:a9fe:a9fe::1")]
    public void What_is_inside_is_refused(string address) => Assert.False(Guard.Allows(IPAddress.Parse(address)));

    [Fact]
    public void What_the_operator_names_is_allowed_and_nothing_beside_it()
    {
        var guard = new AddressGuard([IPNetwork.Parse("10.1.0.0/16"), IPNetwork.Parse("fd12::/16"),
            IPNetwork.Parse("127.0.0.1/32"), IPNetwork.Parse("fe80::/10")]);
        foreach (var inside in (string[])["10.1.0.0", "10.1.255.255", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3",
            "2002:a01:203::1", "fd12:3::4", "127.0.0.1", "fe80::1%3", "1.1.1.1"])
            Assert.True(guard.Allows(IPAddress.Parse(inside)), inside);
        foreach (var outside in (string[])["10.0.255.255", "10.2.0.0", "::ffff:10.2.0.0", "64:ff9b::10.2.0.0",
            "fd13::1", "127.0.0.2", "::1", "192.168.0.1"])
            Assert.False(guard.Allows(IPAddress.Parse(outside)), outside);
    }

    [Theory]
    [InlineData("localhost")]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("0x7f.0.0.1")]
    [InlineData("2130706433")]
    [InlineData("0177.0.0.1")]
    [InlineData("::1")]
    [InlineData("0")]
    public async Task A_name_that_leads_inside_is_refused(string name) =>
        await Assert.ThrowsAnyAsync<IOException>(async () =>
            await new GuardedConnections(Guard).Resolve(name, TestContext.Current.CancellationToken));

    [Fact]
    public async Task Only_the_allowed_addresses_of_a_name_are_used()
    {
        var connections = new GuardedConnections(new([IPNetwork.Parse("127.0.0.0/8")]));
        Assert.All(await connections.Resolve("localhost", TestContext.Current.CancellationToken),
            address => Assert.Equal("127.0.0.1", $"{address}"));
    }
}
