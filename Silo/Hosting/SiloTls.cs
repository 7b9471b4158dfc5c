using Orleans.Configuration;
using Orleans.Connections.Security;
using Tally.Silo.Settings;

namespace Tally.Silo.Hosting;

/// <summary>Mutual TLS between silos, and with Orleans clients.</summary>
internal static partial class SiloTls
{
    public static void UseSiloTls(this ISiloBuilder silo, SiloCertificates certificates) =>
        silo.Services.AddOptions<SiloConnectionOptions>().Configure<ILoggerFactory>((connections, logging) =>
        {
            var logger = logging.CreateLogger("Tally.Silo.Hosting.SiloTls");
            var options = new TlsOptions
            {
                LocalCertificate = certificates.Own,
                ClientCertificateMode = RemoteCertificateMode.RequireCertificate,
                RemoteCertificateMode = RemoteCertificateMode.RequireCertificate,
                // Whoever has a certificate of this authority is a silo. Names are not compared: silos' IP addresses
                // change at each start, so all of them could only share one name, which proves no more than the
                // authority does.
                RemoteCertificateValidation = (certificate, _, _) =>
                {
                    var problem = certificates.Problem(certificate);
                    if (problem is not null) LogRefused(logger, problem);
                    return problem is null;
                },
                OnAuthenticateAsClient = (_, client) => client.TargetHost = "tally",
            };
            connections.ConfigureSiloInboundConnection(connection => connection.UseServerTls(options));
            connections.ConfigureGatewayInboundConnection(connection => connection.UseServerTls(options));
            connections.ConfigureSiloOutboundConnection(connection => connection.UseClientTls(options));
        });

    [LoggerMessage(LogLevel.Warning, "Another silo's certificate is refused: {Problem}")]
    private static partial void LogRefused(ILogger logger, string problem);
}
