using System.Security.Cryptography;
using System.Text;

namespace Tally.Silo.Settings;

/// <summary>
/// A key with which a client may write, read, erase or change rules. Only its hash is kept, so the key cannot be
/// logged, and hashes of one length are compared in constant time.
/// </summary>
/// <param name="Writes">Whether it may send events.</param>
/// <param name="Reads">Whether it may query.</param>
/// <param name="Products">The only products whose events it may send; empty for all.</param>
/// <param name="Origins">The only sites whose pages may use it; empty for all pages and programs.</param>
public sealed record AccessKey(bool Writes, bool Reads, IReadOnlySet<string> Products, IReadOnlySet<string> Origins)
{
    // Characters that a header takes unencoded (RFC 6750), and enough of them that nobody guesses a key.
    private const int CharactersMin = 16;
    private const int CharactersMax = 128;
    private const string Punctuation = "-._~+/=";

    private static readonly IReadOnlySet<string> Any = new HashSet<string>();

    private byte[] Hash { get; init; } = [];

    /// <summary>Whether it may erase fingerprints.</summary>
    public bool Erases { get; init; }

    /// <summary>Whether it may change rules.</summary>
    public bool Rules { get; init; }

    /// <summary>The product of a key that is bound to exactly one; else null.</summary>
    public string? Product => Products.Count == 1 ? Products.First() : null;

    /// <summary>Whether it may send events older than the limit for a client's clock.</summary>
    public bool MayWriteHistory { get; private init; }

    /// <summary>Reads a key as written in -writeKeys: <c>KEY;products=a,b;origins=https://x;history=true</c>.</summary>
    /// <exception cref="FormatException">Says what was expected, without quoting the key.</exception>
    public static AccessKey ParseWriteKey(string text)
    {
        var parts = text.Split(';');
        IReadOnlySet<string> products = Any, origins = Any;
        var history = false;
        foreach (var binding in parts[1..])
        {
            if (binding.StartsWith("products=", StringComparison.Ordinal) && products == Any)
                products = Names(binding).Select(Uri.UnescapeDataString).ToHashSet();
            else if (binding.StartsWith("origins=", StringComparison.Ordinal) && origins == Any)
                origins = Names(binding).Select(ParseOrigin).ToHashSet(StringComparer.OrdinalIgnoreCase);
            else if (binding == "history=true" && !history) history = true;
            else throw new FormatException(
                "expected a key, then at most ;products=NAME,NAME and ;origins=URL,URL and ;history=true");
        }
        var isBound = products.Count > 0 || origins.Count > 0; // such a key is public
        return new(Writes: true, Reads: false, products, origins)
        {
            Hash = HashOf(Checked(parts[0])),
            MayWriteHistory = history || !isBound
        };
    }

    /// <exception cref="FormatException">Says what was expected, without quoting the key.</exception>
    public static AccessKey ParseReadKey(string text) =>
        new(Writes: false, Reads: true, Any, Any) { Hash = HashOf(Checked(text)) };

    /// <exception cref="FormatException">Says what was expected, without quoting the key.</exception>
    public static AccessKey ParseEraseKey(string text) => ParseReadKey(text) with { Reads = false, Erases = true };

    /// <exception cref="FormatException">Says what was expected, without quoting the key.</exception>
    public static AccessKey ParseRuleKey(string text) => ParseReadKey(text) with { Reads = false, Rules = true };

    public bool IsOf(ReadOnlySpan<byte> otherHash) => CryptographicOperations.FixedTimeEquals(Hash, otherHash);

    public bool IsSameKeyAs(AccessKey other) => IsOf(other.Hash);

    /// <summary>Whether it may send events of a product.</summary>
    public bool Allows(string product) => Products.Count == 0 || Products.Contains(product);

    internal static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string Checked(string key) =>
        key.Length is >= CharactersMin and <= CharactersMax
            && key.All(c => char.IsAsciiLetterOrDigit(c) || Punctuation.Contains(c))
            ? key
            : throw new FormatException(
                $"a key has {CharactersMin} to {CharactersMax} letters, digits or {Punctuation}");

    private static string[] Names(string binding) =>
        binding[(binding.IndexOf('=') + 1)..].Split(',') is var names && names.All(name => name.Length > 0)
            ? names
            : throw new FormatException(
                "expected names separated by commas, without spaces; percent-encode other characters in a product");

    /// <summary>Parses an origin as browsers send it: scheme, host, and any port but the scheme's default.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static string ParseOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url is
            {
                Scheme: "http" or "https", UserInfo: "",
                HostNameType: UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6
            }
            && url.GetLeftPart(UriPartial.Authority) is var origin
            && string.Equals(origin, text, StringComparison.OrdinalIgnoreCase)
            ? origin
            : throw new FormatException("expected an origin such as https://example.org, without a path");
}
