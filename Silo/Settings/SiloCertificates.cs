using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tally.Silo.Settings;

/// <summary>A silo's own certificate with its key, and the authority that issues every silo's certificate.</summary>
public sealed class SiloCertificates
{
    private const string ServerUse = "1.3.6.1.5.5.7.3.1";
    private const string ClientUse = "1.3.6.1.5.5.7.3.2";

    private readonly X509Certificate2Collection authority;
    private readonly X509Certificate2Collection between;

    private SiloCertificates(X509Certificate2 own, X509Certificate2Collection authority,
        X509Certificate2Collection between) =>
        (Own, this.authority, this.between) = (own, authority, between);

    public X509Certificate2 Own { get; }

    /// <summary>Reads PEM files. The certificate's file may also hold the intermediate certificates.</summary>
    /// <exception cref="FormatException">Says which file is at fault, and why.</exception>
    public static SiloCertificates Load(string certificatePath, string keyPath, string authorityPath)
    {
        var chain = ReadAll("-siloTlsCertificate", certificatePath);
        var authority = ReadAll("-siloTlsCa", authorityPath);
        var key = ReadText("-siloTlsKey", keyPath);
        X509Certificate2 own;
        try
        {
            own = X509Certificate2.CreateFromPem(chain[0].ExportCertificatePem(), key);
        }
        catch (Exception exception) when (exception is CryptographicException or ArgumentException)
        {
            throw new FormatException(
                $"-siloTlsKey: {keyPath} is not the unencrypted PEM key of the certificate in {certificatePath}");
        }
        var certificates = new SiloCertificates(own, authority, [.. chain.Skip(1)]);
        return certificates.Problem(own) is { } problem
            ? throw new FormatException(
                $"-siloTlsCertificate: {certificatePath} would be refused by other silos: {problem}") : certificates;
    }

    /// <summary>Why a certificate is not a silo's; null if it is one.</summary>
    public string? Problem(X509Certificate2 certificate)
    {
        using var chain = new X509Chain();
        chain.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        chain.ChainPolicy.CustomTrustStore.AddRange(authority);
        chain.ChainPolicy.ExtraStore.AddRange(between);
        chain.ChainPolicy.RevocationMode = X509RevocationMode.NoCheck;
        chain.ChainPolicy.ApplicationPolicy.Add(new(ServerUse)); // a silo is server and client
        chain.ChainPolicy.ApplicationPolicy.Add(new(ClientUse));
        if (chain.Build(certificate)) return null;
        var problem = string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct());
        return problem.Length > 0 ? problem : "it is not valid";
    }

    private static X509Certificate2Collection ReadAll(string flag, string path)
    {
        var certificates = new X509Certificate2Collection();
        try
        {
            certificates.ImportFromPem(ReadText(flag, path));
        }
        catch (CryptographicException)
        {
            // reported below
        }
        return certificates.Count > 0 ? certificates
            : throw new FormatException($"{flag}: {path} holds no certificate in PEM format");
    }

    private static string ReadText(string flag, string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new FormatException($"{flag}: the file cannot be read: {exception.Message}");
        }
    }
}
