using System.Globalization;
using System.Net;
using Npgsql;

namespace Tally.Silo.Settings;

/// <summary>One server of a database URL: a host, an address or the folder of its Unix socket, and its port.</summary>
public sealed record PostgresHost(string Name, int Port)
{
    public const int DefaultPort = 5432;

    public bool IsSocket => Name.StartsWith('/') || Name.StartsWith('@');

    /// <summary>As written in a postgres:// URL; Npgsql reads the same in a list of hosts.</summary>
    public override string ToString() => $"{(IsSocket ? Uri.EscapeDataString(Name) : Bracketed)}:{Port}";

    private string Bracketed => Name.Contains(':') ? $"[{Name}]" : Name;

    /// <summary>The servers in Npgsql's settings.</summary>
    public static IReadOnlyList<PostgresHost> AllIn(NpgsqlConnectionStringBuilder settings)
    {
        var hosts = (settings.Host ?? "").Split(',', StringSplitOptions.TrimEntries);
        return [.. hosts.Select(host => Split(host, settings.Port))];
    }

    /// <summary>Writes the servers into Npgsql's settings.</summary>
    public static void Set(NpgsqlConnectionStringBuilder settings, IReadOnlyList<PostgresHost> servers)
    {
        if (servers is [var only])
        {
            (settings.Host, settings.Port) = (only.Name, only.Port);
            return;
        }
        // In a list of hosts, Npgsql takes what follows the last colon for the port.
        settings.Host =
            string.Join(',',
                servers.Select(server => $"{(server.IsSocket ? server.Name : server.Bracketed)}:{server.Port}"));
    }

    /// <summary>
    /// Whether this can be a server. Unchecked, a mistake in the URL would be looked up, and printed, as a host.
    /// </summary>
    public bool IsValid => Port is > 0 and <= 65535
        && (IsSocket ? Name.Length > 1 && Name.AsSpan().IndexOfAny(",:\0") < 0
            : Name.Contains(':') ? IPAddress.TryParse(Name, out _)
                : Uri.CheckHostName(Name) is not UriHostNameType.Unknown);

    /// <summary>
    /// Reads <c>host</c>, <c>host:port</c>, <c>[address]</c> and <c>[address]:port</c>, as Npgsql does.
    /// </summary>
    private static PostgresHost Split(string text, int port)
    {
        var colon = text.LastIndexOf(':');
        var bracket = text.LastIndexOf(']');
        var hasPort = colon > bracket && (bracket >= 0 || text.IndexOf(':') == colon);
        var host = hasPort ? text[..colon] : text;
        return new(host.Trim('[', ']'), !hasPort ? port
            : int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var own) ? own
                : 0);
    }
}
