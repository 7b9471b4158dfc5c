using System.Security.Cryptography;
using System.Text;

namespace Tally.Silo.Http.Access;

/// <summary>
/// A key that a client sends to write, to read or to erase. Only a hash is kept: it cannot be logged, and hashes
/// compare in constant time.
/// </summary>
/// <param name="Writes">Whether it may send events.</param>
/// <param name="Reads">Whether it may query.</param>
/// <param name="Products">The only products whose events it may send; empty for all.</param>
/// <param name="Origins">The only sites whose pages may use it; empty for all pages and programs.</param>
public sealed record AccessKey(bool Writes, bool Reads, IReadOnlySet<string> Products, IReadOnlySet<string> Origins)
{
    // Characters that a header takes unescaped (RFC 6750), and enough of them not to be guessed.
    private const int CharactersMin = 16;
    private const int CharactersMax = 128;
    private const string Punctuation = "-._~+/=";

    private static readonly IReadOnlySet<string> Any = new HashSet<string>();

    private byte[] Hash { get; init; } = [];

    /// <summary>Whether it may erase fingerprints.</summary>
    public bool Erases { get; init; }

    /// <summary>The product of a key that is bound to exactly one; else null.</summary>
    public string? Product => Products.Count == 1 ? Products.First() : null;

    /// <summary>Whether it may send old events.</summary>
    public bool MayWriteHistory { get; private init; }

    /// <summary>Parses an entry of -writeKeys: <c>KEY;products=a,b;origins=https://x;history=true</c>.</summary>
    /// <exception cref="FormatException">Says what was expected, and nothing of the key.</exception>
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
            else throw new FormatException("expected a key, then at most ;products=NAME,NAME and ;origins=URL,URL and ;history=true");
        }
        var isBound = products.Count > 0 || origins.Count > 0; // such a key is given to others
        return new(Writes: true, Reads: false, products, origins) { Hash = HashOf(Checked(parts[0])), MayWriteHistory = history || !isBound };
    }

    /// <exception cref="FormatException">Says what was expected, and nothing of the key.</exception>
    public static AccessKey ParseReadKey(string text) =>
        new(Writes: false, Reads: true, Any, Any) { Hash = HashOf(Checked(text)) };

    /// <exception cref="FormatException">Says what was expected, and nothing of the key.</exception>
    public static AccessKey ParseEraseKey(string text) => ParseReadKey(text) with { Reads = false, Erases = true };

    public bool IsOf(ReadOnlySpan<byte> otherHash) => CryptographicOperations.FixedTimeEquals(Hash, otherHash);

    public bool IsSameKeyAs(AccessKey other) => IsOf(other.Hash);

    /// <summary>Why this key may not send an event of a product, or null.</summary>
    public Refusal? Refuses(string product) =>
        Products.Count == 0 || Products.Contains(product) ? null : Refusal.ProductNotAllowed();

    internal static byte[] HashOf(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string Checked(string key) =>
        key.Length is >= CharactersMin and <= CharactersMax && key.All(c => char.IsAsciiLetterOrDigit(c) || Punctuation.Contains(c))
            ? key
            : throw new FormatException($"a key has {CharactersMin} to {CharactersMax} letters, digits or {Punctuation}");

    private static string[] Names(string binding) =>
        binding[(binding.IndexOf('=') + 1)..].Split(',') is var names && names.All(name => name.Length > 0)
            ? names
            : throw new FormatException("expected names separated by commas, without spaces; percent-encode other characters in a product");

    /// <summary>Parses an origin as browsers send it: scheme, host, and any port but the scheme's default.</summary>
    /// <exception cref="FormatException">Says what was expected.</exception>
    public static string ParseOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var url)
            && url is { Scheme: "http" or "https", UserInfo: "", HostNameType: UriHostNameType.Dns or UriHostNameType.IPv4 or UriHostNameType.IPv6 }
            && url.GetLeftPart(UriPartial.Authority) is var origin && string.Equals(origin, text, StringComparison.OrdinalIgnoreCase)
            ? origin
            : throw new FormatException("expected an origin such as https://example.org, without a path");
}
