using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Tally.Contracts;
using Tally.Silo.Hosting;
using Tally.Silo.Settings;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>Without a sub-command: runs the front end and the silo until SIGTERM or SIGINT.</summary>
internal static partial class ServeCommand
{
    public static async Task<int> Run(AppSettings settings)
    {
        var cluster = settings.Cluster;
        settings = settings with { Cluster = cluster with { Certificates = LoadCertificates(cluster) } };
        // No file configures it, so none is watched: else all below the current folder would be, with SQLite's own.
        var builder = WebApplication.CreateSlimBuilder(["--hostBuilder:reloadConfigOnChange=false"]);
        var limits = builder.Configuration.BindLimits();
        CheckAddress(settings);
        await using var database = Database.For(settings.DbUrl, limits);
        database.Claim();
        if (!await Prepare(database, settings, limits)) return 0;

        builder.AddTally(settings, limits, database);
        await using var app = builder.Build();
        app.UseTally(settings);
        var keys = app.Services.GetRequiredService<AccessKeys>();
        LogStart(app.Services.GetRequiredService<ILogger<Database>>(), settings.DbUrl, KeysNeeded(keys));
        await app.RunAsync();
        return 0;
    }

    // The host, which handles signals, does not run yet.
    private static async Task<bool> Prepare(Database database, AppSettings settings, Limits limits)
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
            await DatabaseStart.Count(database, settings, limits);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // stopped while it waited
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

    private static SiloCertificates? LoadCertificates(ClusterSettings cluster)
    {
        if (cluster is { TlsCertificate: null, TlsKey: null, TlsCa: null }) return null;
        if (cluster is not { TlsCertificate: { } certificate, TlsKey: { } key, TlsCa: { } authority })
            throw new UsageException(
                "-siloTlsCertificate, -siloTlsKey and -siloTlsCa: one of them is missing; give all or none");
        try
        {
            return SiloCertificates.Load(certificate, key, authority);
        }
        catch (FormatException exception)
        {
            throw new UsageException(exception.Message);
        }
    }

    // Before anything starts: the host would log a page where its operator needs one line.
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
