namespace Tally.Contracts;

/// <summary>
/// The grain key of a fingerprint. Orleans' ADO.NET storage reads a key of hex digits as a number, so that "00ff"
/// and "ff" would share a row; a first character that is no hex digit keeps every key a string.
/// </summary>
public static class FingerprintKey
{
    private const char Prefix = '~';

    public static string For(string fingerprint) => Prefix + fingerprint;

    public static string Fingerprint(string key) =>
        key.Length > 1 && key[0] == Prefix
            ? key[1..]
            : throw new ArgumentException("Not the key of a fingerprint.", nameof(key));
}
