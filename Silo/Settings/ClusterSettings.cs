using System.Net;

namespace Tally.Silo.Settings;

/// <summary>How this silo and the others on its database find each other.</summary>
/// <param name="ClusterId">Silos with the same id form one cluster.</param>
/// <param name="ServiceId">Part of every snapshot's key.</param>
/// <param name="SiloPort">TCP port for the other silos; 0 picks a free one.</param>
/// <param name="GatewayPort">TCP port for Orleans clients; 0 opens none.</param>
/// <param name="Advertise">The address under which other hosts reach this one; null to find it out.</param>
/// <param name="SiloName">For logs and the membership table.</param>
public sealed record ClusterSettings(string ClusterId = "", string ServiceId = "", int SiloPort = 0,
    int GatewayPort = 0,
    IPAddress? Advertise = null, string SiloName = "")
{
    // PEM files for TLS between silos: all of them, or none.
    public string? TlsCertificate { get; init; }
    public string? TlsKey { get; init; }
    public string? TlsCa { get; init; }

    /// <summary>What a serving silo has read from these files; null is plain TCP.</summary>
    public SiloCertificates? Certificates { get; init; }
}
