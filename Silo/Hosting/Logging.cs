namespace Tally.Silo.Hosting;

/// <summary>One line a message, on standard output, in UTC. The configuration's Logging section changes levels.</summary>
internal static class Logging
{
    public static void AddTallyLogging(this ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-dd'T'HH:mm:ss.fff'Z' ";
            console.ColorBehavior = Microsoft.Extensions.Logging.Console.LoggerColorBehavior.Disabled;
        });
        logging.AddFilter(null, LogLevel.Warning);
        logging.AddFilter("Tally", LogLevel.Information);
        logging.AddFilter("Orleans.Runtime.Watchdog", LogLevel.Error); // counts the time before the start as a stall
        logging.AddFilter("Orleans.Runtime.Silo", LogLevel.Error); // asks for the collector that is not the better one here: Silo.csproj
        logging.AddFilter("Orleans.Storage.AdoNetGrainStorage", LogLevel.Critical); // the grain says what it makes of a failure
        logging.AddFilter("Orleans.Messaging", LogLevel.Critical); // one forwarded to a silo that drains: refused, and sent again
        // Where anything of it is logged at all, each request gets an activity and a scope: a seventh of a post's memory.
        logging.AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None);
        logging.AddFilter("Microsoft.Extensions.Diagnostics.HealthChecks", LogLevel.None); // the answer says what it would log at each probe
        logging.AddFilter("Microsoft.Hosting.Lifetime", LogLevel.Information);
    }
}
