using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Tally.Silo.Hosting;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>No sub-command: the front end and the silo, until SIGTERM or SIGINT.</summary>
internal static partial class ServeCommand
{
    public static async Task<int> Run(AppSettings settings)
    {
        settings = settings with { Cluster = settings.Cluster with { Certificates = ReadCertificates(settings.Cluster) } };
        var builder = WebApplication.CreateSlimBuilder();
        var limits = builder.Configuration.BindLimits();
        CheckAddress(settings);
        await using var database = Database.For(settings.DbUrl, limits);
        database.Claim();
        if (!await Prepare(database)) return 0;

        builder.AddTally(settings, limits, database);
        await using var app = builder.Build();
        app.UseTally(settings);
        LogStart(app.Services.GetRequiredService<ILogger<Database>>(), settings.DbUrl, KeysNeeded(app.Services.GetRequiredService<AccessKeys>()));
        await app.RunAsync();
        return 0;
    }

    // The host, which stops on a signal, does not run yet.
    private static async Task<bool> Prepare(Database database)
    {
        using var stop = new CancellationTokenSource();
        void Stop(PosixSignalContext context)
        {
            context.Cancel = true;
            stop.Cancel();
        }
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        try
        {
            await DatabaseStart.Prepare(database, stop.Token);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // told to stop while it waited
        }
        return !stop.IsCancellationRequested;
    }

    private static string KeysNeeded(AccessKeys keys) => (keys.GuardWriting, keys.GuardReading) switch
    {
        (true, true) => "writing and reading need a key",
        (true, false) => "writing needs a key, everyone may read",
        (false, true) => "reading needs a key, everyone may write",
        _ when keys.GuardErasing => "erasing needs a key, everyone may write and read",
        _ => "no keys are set: everyone may write, read and erase",
    };

    private static SiloCertificates? ReadCertificates(ClusterSettings cluster)
    {
        if (cluster is { TlsCertificate: null, TlsKey: null, TlsCa: null }) return null;
        if (cluster is not { TlsCertificate: { } certificate, TlsKey: { } key, TlsCa: { } authority })
            throw new UsageException("-siloTlsCertificate, -siloTlsKey and -siloTlsCa: one of them is missing; give all of them or none");
        try
        {
            return SiloCertificates.Read(certificate, key, authority);
        }
        catch (FormatException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    // Before anything is started: the host would log a page for what is one line to its operator.
    private static void CheckAddress(AppSettings settings)
    {
        try
        {
            using var listener = new TcpListener(settings.Host, settings.Port);
            listener.Start();
        }
        catch (SocketException exception)
        {
            throw new StartupException(
                $"cannot listen on {new IPEndPoint(settings.Host, settings.Port)}: {exception.Message}", exception);
        }
    }

    [LoggerMessage(LogLevel.Information, "Events are recorded in {Database}; {KeysNeeded}")]
    private static partial void LogStart(ILogger logger, DatabaseUrl database, string keysNeeded);
}
