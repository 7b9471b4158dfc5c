using System.CommandLine;
using Tally.Silo.Http;
using Tally.Silo.Http.Exports;

namespace Tally.Silo.CommandLine;

/// <summary>What <c>app export</c> takes beside the service's own flags.</summary>
internal static class ExportFlags
{
    private static readonly Argument<string> File =
        new("file") { Description = "A file, which is replaced when the export is whole, or - for standard output" };
    private static readonly Flag<Uri?> From = new("from", "url",
        "The service to read from; auto is the one on this machine, by -host and -port", "auto", AppCommand.ParseServiceUrl, "APP_FROM");
    private static readonly Flag<string?> Key = new("key", "key", "The service's read key, where it asks for one", AppCommand.None, AppCommand.ParseServiceKey, "APP_KEY");
    private static readonly Flag<string?> Since = Optional("since", "time",
        "Events that occurred at this time or later: a day, or as RFC 3339 writes it", ParseTime, "APP_SINCE");
    private static readonly Flag<string?> Until = Optional("until", "time", "And before this time", ParseTime, "APP_UNTIL");
    private static readonly Flag<string?> Product = Optional("product", "name", "Events of this product", text => text, "APP_PRODUCT");
    private static readonly Flag<string?> Format = new("format", "name",
        "ndjson, csv or parquet; auto is by the file's name, which may end in .gz,\nand ndjson for standard output", "auto", ParseFormat, "APP_FORMAT");

    /// <param name="run">Runs with what was given.</param>
    public static Command Command(Func<ParseResult, ExportSettings, Task<int>> run)
    {
        var command = new Command("export", "Take the rows of a service that runs to a file, and go on where a connection breaks")
        {
            File, From.Option, Key.Option, Since.Option, Until.Option, Product.Option, Format.Option,
        };
        command.SetAction((result, cancellation) => run(result, Read(result, Environment.GetEnvironmentVariable)));
        return command;
    }

    private static ExportSettings Read(ParseResult result, Func<string, string?> environment) => new(
        result.GetValue(File)!, From.Read(result, environment), Key.Read(result, environment), Since.Read(result, environment),
        Until.Read(result, environment), Product.Read(result, environment), Format.Read(result, environment));

    private static Flag<string?> Optional(string name, string value, string description, Func<string, string> parse, string variable) =>
        new(name, value, description, AppCommand.None, text => text == AppCommand.None ? null : parse(text), variable);

    private static string ParseTime(string text) =>
        Timestamp.TryParseTimeOrDay(text, out _) ? text
        : throw new FormatException("expected a day such as 2026-01-02, or a time as RFC 3339 writes it, such as 2026-01-02T10:30:00Z");

    private static string? ParseFormat(string text) =>
        text == "auto" ? null
        : ExportFormat.Names.Contains(text) ? text
        : throw new FormatException("expected ndjson, csv, parquet or auto");
}
