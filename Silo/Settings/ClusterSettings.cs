using System.Net;

namespace Tally.Silo.Settings;

/// <summary>How this silo and the others on its database find each other.</summary>
public sealed record ClusterSettings
{
    /// <summary>Silos with the same id form one cluster.</summary>
    public string ClusterId { get; init; } = "";

    /// <summary>Part of every snapshot's key.</summary>
    public string ServiceId { get; init; } = "";

    /// <summary>TCP port for the other silos; 0 picks a free one.</summary>
    public int SiloPort { get; init; }

    /// <summary>TCP port for Orleans clients; 0 opens none.</summary>
    public int GatewayPort { get; init; }

    /// <summary>The address under which other hosts reach this one; null to find it out.</summary>
    public IPAddress? Advertise { get; init; }

    /// <summary>For logs and the membership table.</summary>
    public string SiloName { get; init; } = "";

    /// <summary>PEM files for TLS between silos: all of them, or none.</summary>
    public string? TlsCertificate { get; init; }
    public string? TlsKey { get; init; }
    public string? TlsCa { get; init; }

    /// <summary>What a serving silo has read from these files; null is plain TCP.</summary>
    public SiloCertificates? Certificates { get; init; }
}
