using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Tally.Tests.Harness;

/// <summary>A certificate authority of a test, and the PEM files that it gives to silos and servers.</summary>
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

    /// <summary>In the folder, which is gone with this.</summary>
    public string File(string name) => Path.Combine(folder, name);

    public string Write(string name, string text)
    {
        System.IO.File.WriteAllText(File(name), text);
        return File(name);
    }

    /// <summary>A certificate of this authority with its key, as two files.</summary>
    /// <param name="name">Of the files, and what the certificate is for.</param>
    /// <param name="days">From now to its end; one that is not positive has ended.</param>
    /// <param name="use">What it may be used for; nothing is all.</param>
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

    /// <summary>What a silo of this authority is started with.</summary>
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
