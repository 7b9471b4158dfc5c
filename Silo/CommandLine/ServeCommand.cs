using System.Net;
using System.Net.Sockets;
using Tally.Silo.Hosting;
using Tally.Silo.Http.Access;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>No sub-command: the front end and the silo, until SIGTERM or SIGINT.</summary>
internal static partial class ServeCommand
{
    public static async Task<int> Run(AppSettings settings)
    {
        var builder = WebApplication.CreateSlimBuilder();
        var limits = builder.ReadLimits();
        CheckAddress(settings);
        await using var database = Database.For(settings.DbUrl, limits);
        database.Claim();
        await DatabaseStart.Prepare(database, CancellationToken.None);

        builder.AddTally(settings, limits, database);
        await using var app = builder.Build();
        app.UseTally(settings);
        LogStart(app.Services.GetRequiredService<ILogger<Database>>(), settings.DbUrl, WhoMay(settings.Keys));
        await app.RunAsync();
        return 0;
    }

    private static string WhoMay(AccessKeys keys) => (keys.GuardWriting, keys.GuardReading) switch
    {
        (true, true) => "writing and reading need a key",
        (true, false) => "writing needs a key, everyone may read",
        (false, true) => "reading needs a key, everyone may write",
        _ when keys.GuardErasing => "erasing needs a key, everyone may write and read",
        _ => "no keys are set: everyone may write, read and erase",
    };

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

    [LoggerMessage(LogLevel.Information, "Events are recorded in {Database}; {WhoMay}")]
    private static partial void LogStart(ILogger logger, DatabaseUrl database, string whoMay);
}
