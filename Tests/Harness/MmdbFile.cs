using System.Buffers.Binary;
using System.Net;
using System.Text;

namespace Tally.Tests.Harness;

/// <summary>
/// Writes a small database of countries in the MaxMind DB format: networks of IPv4, and the country of each.
/// </summary>
internal static class MmdbFile
{
    private const int AddressBits = 32;

    public static void Write(string path, params (string Network, string Country)[] countries)
    {
        List<int?[]> nodes = [[null, null]]; // positive: a node; negative: a country
        for (var i = 0; i < countries.Length; i++)
        {
            var network = IPNetwork.Parse(countries[i].Network);
            var bits = BinaryPrimitives.ReadUInt32BigEndian(network.BaseAddress.GetAddressBytes());
            var node = 0;
            for (var at = 0; at < network.PrefixLength; at++)
            {
                var side = (int)(bits >> (AddressBits - 1 - at)) & 1;
                if (at == network.PrefixLength - 1) nodes[node][side] = -1 - i;
                else
                {
                    if (nodes[node][side] is not { } next)
                    {
                        nodes[node][side] = next = nodes.Count;
                        nodes.Add([null, null]);
                    }
                    node = next;
                }
            }
        }

        var data = new MemoryStream();
        var offsets = countries.Select(one =>
        {
            var offset = (int)data.Position;
            Map(data, 1);
            Text(data, "country");
            Map(data, 1);
            Text(data, "iso_code");
            Text(data, one.Country);
            return offset;
        }).ToArray();

        using var file = File.Create(path);
        foreach (var node in nodes)
            foreach (var side in node)
            {
                var record = side is null ? nodes.Count
                    : side >= 0 ? side.Value : nodes.Count + 16 + offsets[-1 - side.Value];
                file.Write([(byte)(record >> 16), (byte)(record >> 8), (byte)record]);
            }
        file.Write(new byte[16]);
        data.WriteTo(file);
        file.Write([0xAB, 0xCD, 0xEF]);
        file.Write("MaxMind.com"u8);
        Map(file, 9);
        Number(file, "binary_format_major_version", 2);
        Number(file, "binary_format_minor_version", 0);
        Text(file, "build_epoch");
        file.Write([0x04, 0x02, 0, 0, 0, 1]); // a 64-bit number of four bytes
        Text(file, "database_type");
        Text(file, "Test-Country");
        Text(file, "description");
        Map(file, 1);
        Text(file, "en");
        Text(file, "For tests");
        Number(file, "ip_version", 4);
        Text(file, "languages");
        file.Write([0x00, 0x04]); // an empty array
        Number(file, "node_count", nodes.Count);
        Number(file, "record_size", 24);
    }

    private static void Map(Stream to, int size) => to.WriteByte((byte)(0xE0 + size));

    private static void Text(Stream to, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        if (bytes.Length >= 29) to.Write([0x40 + 29, (byte)(bytes.Length - 29)]);
        else to.WriteByte((byte)(0x40 + bytes.Length));
        to.Write(bytes);
    }

    private static void Number(Stream to, string name, int value)
    {
        Text(to, name);
        // Counts have 32 bits, all else has 16.
        to.Write(name == "node_count" ? [0xC4, 0, 0, (byte)(value >> 8), (byte)value]
            : [0xA2, (byte)(value >> 8), (byte)value]);
    }
}
