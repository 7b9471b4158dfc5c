namespace Tally.Silo.Settings;

/// <summary>How web pages send their visitors' events.</summary>
/// <param name="CorsOrigins">Origins whose scripts may read the answers; a single "*" is any.</param>
/// <param name="Fingerprints">Who gives an event its fingerprint when it has none.</param>
public sealed record VisitorSettings(IReadOnlyList<string> CorsOrigins, FingerprintSource Fingerprints);

/// <summary>Who gives a fingerprint to an event that has none.</summary>
public enum FingerprintSource
{
    /// <summary>Nobody: the event is refused.</summary>
    Client,
    /// <summary>The server: a hash that changes each day.</summary>
    Server,
}
