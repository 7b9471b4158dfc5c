using Tally.Silo.Settings;

namespace Tally.Silo.Hosting;

/// <summary>
/// One line per message, on standard output, in UTC: text, or a JSON object. The configuration's Logging section
/// changes levels.
/// </summary>
internal static class Logging
{
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z'";

    public static void AddTallyLogging(this ILoggingBuilder logging, LogFormat format)
    {
        logging.ClearProviders();
        if (format == LogFormat.Json)
        {
            logging.AddJsonConsole(console =>
                (console.UseUtcTimestamp, console.TimestampFormat) = (true, TimeFormat));
        }
        else
        {
            logging.AddSimpleConsole(console =>
            {
                console.SingleLine = true;
                (console.UseUtcTimestamp, console.TimestampFormat) = (true, TimeFormat + " ");
                console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
            });
        }
        logging.AddFilter(null, LogLevel.Warning);
        logging.AddFilter("Tally", LogLevel.Information);
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error); // takes the time before the start for a stall
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error); // wants another garbage collector: Silo.csproj
        // the grain logs what it does about a failure
        logging.AddFilter("Orleans.Storage.AdoNetGrainStorage", LogLevel.Critical);
        // a message to a draining silo is refused and sent again
        logging.AddFilter("Orleans.Messaging", LogLevel.Critical);
        // If any of it is logged, each request gets an activity and a scope: a seventh of a post's memory.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        // Whoever reads the keys that protect cookies in the database reads all that a cookie opens.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
        // It would repeat the answer at each probe.
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None);
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
    }
}
