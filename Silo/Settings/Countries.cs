using System.Net;
using MaxMind.Db;

namespace Tally.Silo.Settings;

/// <summary>Countries of addresses, by a database that the operator names, in memory.</summary>
internal sealed class Countries(Reader reader) : IDisposable
{
    /// <exception cref="FormatException">Says what is wrong with the file.</exception>
    public static Countries Load(string path)
    {
        try
        {
            return new(new Reader(path, FileAccessMode.Memory));
        }
        catch (Exception exception)
            when (exception is InvalidDatabaseException or DeserializationException or IOException
                or UnauthorizedAccessException)
        {
            throw new FormatException($"the file cannot be read as an mmdb file: {exception.Message}");
        }
    }

    /// <summary>The two letters of ISO 3166; null if the database does not know.</summary>
    public string? Find(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            && reader.Metadata.IPVersion == 4) return null;
        var found = reader.Find<Dictionary<string, object>>(address);
        if (found is null) return null;
        // As MaxMind and DB-IP write it, or as IPinfo does.
        var code = found.GetValueOrDefault("country") is Dictionary<string, object> country
            ? country.GetValueOrDefault("iso_code")
            : found.GetValueOrDefault("country_code") ?? found.GetValueOrDefault("country");
        return code is string { Length: 2 } text ? text : null;
    }

    public void Dispose() => reader.Dispose();
}
