namespace Tally.Silo.CommandLine;

/// <summary>How the pages that people visit send events.</summary>
/// <param name="CorsOrigins">Whose scripts may read the answers; one "*" is everyone's.</param>
/// <param name="Fingerprints">Who gives an event its fingerprint when it has none.</param>
public sealed record VisitorSettings(string[] CorsOrigins, FingerprintSource Fingerprints)
{
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static FingerprintSource ParseFingerprints(string text) => text switch
    {
        "client" => FingerprintSource.Client,
        "server" => FingerprintSource.Server,
        _ => throw new FormatException("expected client or server"),
    };
}

/// <summary>Who gives a fingerprint to an event that has none.</summary>
public enum FingerprintSource
{
    /// <summary>Nobody: it is refused.</summary>
    Client,
    /// <summary>The server: see <see cref="Http.VisitorFingerprints"/>.</summary>
    Server,
}
