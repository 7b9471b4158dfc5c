using System.Net;
using Tally.Grains;

namespace Tally.Silo.Settings;

/// <summary>What the flags and their variables say. The defaults stand with the flags.</summary>
public sealed record AppSettings
{
    public int Port { get; init; }
    public IPAddress Host { get; init; } = IPAddress.Any;
    public DatabaseUrl DbUrl { get; init; } = null!;
    public ClusterSettings Cluster { get; init; } = new();
    public LogFormat LogFormat { get; init; }

    public IReadOnlyList<AccessKey> WriteKeys { get; init; } = [];
    public IReadOnlyList<AccessKey> ReadKeys { get; init; } = [];
    public IReadOnlyList<AccessKey> EraseKeys { get; init; } = [];
    public IReadOnlyList<AccessKey> RuleKeys { get; init; } = [];

    /// <summary>Proxies whose X-Forwarded-For names the client, and X-Forwarded-Proto its scheme.</summary>
    public IReadOnlyList<System.Net.IPNetwork> TrustedProxies { get; init; } = [];

    /// <summary>Networks that webhooks may reach although they are not of the public internet.</summary>
    public IReadOnlyList<System.Net.IPNetwork> WebhookNetworks { get; init; } = [];

    /// <summary>Whether known bots' events are answered but not recorded.</summary>
    public bool IgnoresBots { get; init; }

    /// <summary>Names of the tools whose trackers may send events.</summary>
    public IReadOnlyList<string> Trackers { get; init; } = [];

    /// <summary>By whose days events are counted.</summary>
    public Calendar Calendar { get; init; } = Calendar.Utc;

    /// <summary>Properties by whose values events are counted.</summary>
    public IReadOnlyList<string> Dimensions { get; init; } = [];

    /// <summary>What the server adds to the properties, and counts by too.</summary>
    internal DerivedSettings Derived { get; init; } = new([], null);

    public RetentionSettings Retention { get; init; } = new(null, null);
    public VisitorSettings Visitors { get; init; } = new([], FingerprintSource.Client);

    /// <summary>Origins whose pages may show ours in a frame; a single "*" is any.</summary>
    public IReadOnlyList<string> FrameAncestors { get; init; } = [];

    /// <summary>Where this machine reaches the app that serves with these settings.</summary>
    public Uri LocalUrl => new UriBuilder("http", (
        Host.Equals(IPAddress.Any) ? IPAddress.Loopback
        : Host.Equals(IPAddress.IPv6Any) ? IPAddress.IPv6Loopback
        : Host).ToString(), Port).Uri;
}
