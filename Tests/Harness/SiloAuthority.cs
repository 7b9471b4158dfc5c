using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tally.Tests.Harness;

/// <summary>A test's certificate authority, and the PEM files that it issues to silos and servers.</summary>
internal sealed class SiloAuthority : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("tally-tls-").FullName;
    private readonly ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
    private readonly X509Certificate2 own;

    public SiloAuthority()
    {
        var request = new CertificateRequest("CN=authority", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        own = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-30), DateTimeOffset.UtcNow.AddDays(30));
        Write("ca.pem", own.ExportCertificatePem());
    }

    public string Ca => File("ca.pem");

    /// <summary>A path in its folder, which disposing removes.</summary>
    public string File(string name) => Path.Combine(folder, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    /// <summary>Issues a certificate and its key, in two files.</summary>
    /// <param name="name">The files' name and the certificate's subject.</param>
    /// <param name="days">Until it expires; zero or less if it has expired.</param>
    /// <param name="use">Its extended key usage; null allows all.</param>
    public (string Certificate, string Key) Issue(string name, double days = 10, string? use = null)
    {
        using var its = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", its, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(System.Net.IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        if (use is not null) request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new(use)], true));
        using var certificate =
            request.Create(own, DateTimeOffset.UtcNow.AddDays(-20), DateTimeOffset.UtcNow.AddDays(days),
                RandomNumberGenerator.GetBytes(8));
        return (Write(name + ".pem", certificate.ExportCertificatePem()),
            Write(name + ".key", its.ExportPkcs8PrivateKeyPem()));
    }

    /// <summary>The environment of a silo of this authority.</summary>
    public Dictionary<string, string> Environment(string name)
    {
        var (certificate, its) = Issue(name);
        return new()
        {
            ["APP_SILO_TLS_CERTIFICATE"] = certificate, ["APP_SILO_TLS_KEY"] = its,
            ["APP_SILO_TLS_CA"] = Ca
        };
    }

    public void Dispose()
    {
        key.Dispose();
        own.Dispose();
        Directory.Delete(folder, recursive: true);
    }
}
