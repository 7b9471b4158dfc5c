using System.CommandLine;
using Tally.Silo.Import;
using Tally.Silo.Storage;

namespace Tally.Silo.CommandLine;

/// <summary>What <c>app import</c> takes beside the service's own flags.</summary>
internal static class ImportFlags
{
    private static readonly Argument<string> Source =
        new("source") { Description = "A file (NDJSON or CSV, also in gzip), - for standard input, or a postgres:// URL" };
    private static readonly Flag<Uri?> To = new("to", "url",
        "The service to write to; auto is the one on this machine, by -host and -port", "auto", AppCommand.ParseServiceUrl, "APP_TO");
    private static readonly Flag<string?> Key = new("key", "key",
        "The service's write key, where it asks for one", AppCommand.None, AppCommand.ParseServiceKey, "APP_KEY");
    private static readonly Flag<TimeChoice> Time = new("time", "name", """
        The column or field with the events' times
          auto: by its usual names, and an import without one stops
          now: likewise, but an event without a time is dated to now
        """, "auto", ParseTime, "APP_TIME");

    /// <param name="run">Runs with what was given.</param>
    public static Command Command(Func<ParseResult, ImportSettings, Task<int>> run)
    {
        var command = new Command("import", "Bring recorded events to a service that runs; a repeat counts nothing twice")
        {
            Source, To.Option, Key.Option, Time.Option,
        };
        command.SetAction((result, cancellation) => run(result, Read(result, Environment.GetEnvironmentVariable)));
        return command;
    }

    private static ImportSettings Read(ParseResult result, Func<string, string?> environment) => new(
        ParseSource(result.GetValue(Source)!), To.Read(result, environment), Key.Read(result, environment), Time.Read(result, environment));

    private static TimeChoice ParseTime(string text) => text switch
    {
        "auto" => TimeChoice.Found,
        "now" => TimeChoice.Now,
        "" => throw new FormatException("expected a column's or a field's name, auto or now"),
        _ => new(text, NowWhereMissing: false),
    };

    private static ImportSource ParseSource(string text)
    {
        if (!text.Contains("://", StringComparison.Ordinal)) return new ImportSource.File(text);
        try
        {
            if (text.StartsWith("postgres", StringComparison.OrdinalIgnoreCase))
                return new ImportSource.Postgres((DatabaseUrl.Postgres)DatabaseUrl.Parse(text));
        }
        catch (FormatException exception)
        {
            throw new UsageException($"the source: {exception.Message}");
        }
        throw new UsageException("the source: expected a file, - or a postgres:// URL");
    }
}
