using System.Globalization;
using Npgsql;

namespace Tally.Silo.Settings;

/// <summary>
/// Reads libpq's connection URIs: <c>postgres://user:password@host:port,host:port/database?name=value</c>, each part
/// percent-encoded.
/// </summary>
internal static class PostgresUri
{
    private const string Malformed =
        "this is no valid postgres:// URL; in its parts, write @ as %40, : as %3A, / as %2F, ? as %3F, # as %23";

    /// <exception cref="FormatException">Says what is wrong, without quoting a value.</exception>
    public static NpgsqlConnectionStringBuilder Parse(string text)
    {
        var settings = new NpgsqlConnectionStringBuilder();
        var parameters = new PostgresParameters(settings, ofUrl: true);
        var rest = text[(text.IndexOf("://", StringComparison.Ordinal) + "://".Length)..];

        // An @ after the servers' end is an unencoded password's: what follows it would be taken for a port, the
        // database or a parameter, and quoted as such.
        var end = rest.AsSpan().IndexOfAny("/?#");
        var (authority, behind) = end < 0 ? (rest, "") : (rest[..end], rest[end..]);
        if (behind.Contains('@') || behind.Contains('#') || authority.Count(c => c == '@') > 1)
            throw new FormatException(Malformed);

        var at = authority.IndexOf('@');
        if (at >= 0)
        {
            var user = authority[..at].Split(':', 2);
            if (user[0].Length > 0) settings.Username = Decode(user[0]);
            if (user.Length > 1) settings.Password = Decode(user[1]);
        }
        var query = behind.IndexOf('?');
        var database = Decode((query < 0 ? behind : behind[..query]).TrimStart('/'));
        if (database.Length > 0) settings.Database = database;
        foreach (var pair in query < 0 ? [] : behind[(query + 1)..].Split('&', StringSplitOptions.RemoveEmptyEntries))
        {
            var parts = pair.Split('=', 2);
            parameters.Set(Decode(parts[0]), parts.Length > 1 ? Decode(parts[1]) : "");
        }
        PostgresHost.Set(settings, Servers(authority[(at + 1)..], parameters));
        parameters.Complete();
        return settings;
    }

    // The parameters host, hostaddr and port beat what stands before the database.
    private static List<PostgresHost> Servers(string text, PostgresParameters parameters)
    {
        var named = text.Split(',').Select(SplitPort).ToList();
        var hosts = (parameters.Hosts ?? parameters.Addresses)?.Split(',') ?? [.. named.Select(server => server.Host)];
        if (parameters.Addresses is not null && (parameters.Hosts is not null || text.Length > 0))
            throw new FormatException(
                "the parameter 'hostaddr' has no place beside a host, whose address is looked up");
        var ports = parameters.Ports?.Split(',')
            ?? (hosts.Length == named.Count ? [.. named.Select(server => server.Port)] : [""]);
        if (hosts.All(host => host.Length == 0))
            throw new FormatException(
                "this postgres:// URL names no host; a socket's folder goes into it as host=/folder");
        if (ports.Length != 1 && ports.Length != hosts.Length)
            throw new FormatException("the parameter 'port' has another number of ports than there are hosts");
        List<PostgresHost> servers =
            [.. hosts.Select((host, index) => new PostgresHost(host, Port(ports[ports.Length == 1 ? 0 : index])))];
        return servers.TrueForAll(server => server.IsValid) ? [.. servers.Select(AsciiName)]
            : throw new FormatException(Malformed);
    }

    private static (string Host, string Port) SplitPort(string server)
    {
        var bracket = server.StartsWith('[') ? server.IndexOf(']') : -1;
        if (server.StartsWith('[') && (bracket < 0 || !server.AsSpan(1, bracket - 1).Contains(':')))
            throw new FormatException(Malformed);
        var colon = server.IndexOf(':', bracket + 1);
        var host = colon < 0 ? server : server[..colon];
        if (bracket >= 0 && bracket != host.Length - 1) throw new FormatException(Malformed);
        return (Decode(bracket >= 0 ? host[1..^1] : host), colon < 0 ? "" : server[(colon + 1)..]);
    }

    private static int Port(string text) =>
        text.Length == 0 ? PostgresHost.DefaultPort
        : int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var port) ? port
            : throw new FormatException(Malformed);

    private static PostgresHost AsciiName(PostgresHost server) =>
        server.IsSocket || Uri.CheckHostName(server.Name) != UriHostNameType.Dns ? server
            : server with { Name = new Uri($"postgres://{server.Name}").IdnHost };

    private static string Decode(string text)
    {
        var decoded = Uri.UnescapeDataString(text);
        return decoded.Contains('\0') ? throw new FormatException(Malformed) : decoded;
    }
}
