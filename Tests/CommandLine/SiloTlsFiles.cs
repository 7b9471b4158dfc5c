using System.Security.Cryptography;
using Tally.Tests.Harness;

namespace Tally.Tests.CommandLine;

/// <summary>
/// -siloTlsCertificate, -siloTlsKey and -siloTlsCa: with unusable files the start fails with one line and exit code 2.
/// </summary>
public sealed class SiloTlsFiles : IDisposable
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";

    private readonly SiloAuthority authority = new();
    private readonly SiloAuthority others = new();

    public void Dispose()
    {
        authority.Dispose();
        others.Dispose();
    }

    [Fact]
    public async Task Files_that_cannot_be_used_are_named()
    {
        var (certificate, key) = authority.Issue("silo");
        var (ended, endedKey) = authority.Issue("ended", days: -1);
        var (halfUse, halfUseKey) = authority.Issue("half", use: ServerUse);
        var (another, anotherKey) = others.Issue("another");
        var text = authority.Write("text.pem", "-----BEGIN CERTIFICATE-----\nnot base64!\n-----END CERTIFICATE-----\n");
        var huge = authority.Write("huge.pem", new string('x', 5_000_000));
        var binary = authority.Write("binary.pem", "\u0001\u0002\u0003");
        using var its = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var locked =
            authority.Write("locked.key",
                its.ExportEncryptedPkcs8PrivateKeyPem("secret",
                    new(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000)));
        foreach (var (line, files) in ((string, (string?, string?, string?))[])
                 [
                     ("one of them is missing", (certificate, null, null)),
                     ("one of them is missing", (null, key, authority.Ca)),
                     ("one of them is missing", (certificate, "none", authority.Ca)),
                     ("-siloTlsCertificate: the file cannot be read", ("/no/such/file", key, authority.Ca)),
                     ("-siloTlsKey: the file cannot be read", (certificate, "/no/such/file", authority.Ca)),
                     ("-siloTlsCa: the file cannot be read", (certificate, key, "/")),
                     ("-siloTlsCertificate: " + text + " holds no certificate", (text, key, authority.Ca)),
                     ("-siloTlsCertificate: " + huge + " holds no certificate", (huge, key, authority.Ca)),
                     ("-siloTlsCertificate: " + key + " holds no certificate", (key, key, authority.Ca)),
                     ("-siloTlsCa: " + binary + " holds no certificate", (certificate, key, binary)),
                     ("-siloTlsKey: " + anotherKey + " is not the unencrypted PEM key of",
                         (certificate, anotherKey, authority.Ca)),
                     ("-siloTlsKey: " + certificate + " is not the unencrypted PEM key of",
                         (certificate, certificate, authority.Ca)),
                     ("-siloTlsKey: " + locked + " is not the unencrypted PEM key of",
                         (certificate, locked, authority.Ca)),
                     (ended + " would be refused by other silos: certificate has expired",
                         (ended, endedKey, authority.Ca)),
                     (another + " would be refused by other silos: ", (another, anotherKey, authority.Ca)),
                     (halfUse + " would be refused by other silos: ", (halfUse, halfUseKey, authority.Ca)),
                 ])
        {
            var (exitCode, output, error) = await AppProcess.Run([.. Flags(files), "-port", "1"]);
            Assert.True((exitCode, output) == (2, ""), $"{line}: {exitCode} {output}{error}");
            Assert.StartsWith("app: ", error);
            Assert.Contains(line, error);
            Assert.Equal(error.Length - 1, error.IndexOf('\n'));
            Assert.DoesNotContain("Exception", error);
        }
    }

    // A host that only asks a silo or the database need not have them.
    [Fact]
    public async Task Sub_commands_do_not_read_them()
    {
        var (exitCode, _, error) =
            await AppProcess.Run(["health", "-port=1", "-siloTlsCertificate=/no/such/file", "-siloTlsKey=x",
                "-siloTlsCa=y"]);
        Assert.Equal(1, exitCode);
        Assert.StartsWith("app: not ready: ", error);
    }

    private static IEnumerable<string> Flags((string? Certificate, string? Key, string? Ca) files) =>
        ((string Name, string? File)[])[("-siloTlsCertificate", files.Certificate), ("-siloTlsKey", files.Key),
            ("-siloTlsCa", files.Ca)]
        is var all ? all.Where(one => one.File is not null).Select(one => $"{one.Name}={one.File}") : [];
}
